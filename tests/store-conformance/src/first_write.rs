//! `first-write`: without an etag, a write only succeeds if the key is absent.

use crate::subject::{Subject, assert_mismatch, first_write, with_etag};
use dapr_building_blocks::StateError;

fn assert_refused(s: &Subject, result: Result<(), StateError>) {
    if s.declared.first_write_conflict_is_mismatch {
        assert_mismatch(result);
    } else {
        assert!(matches!(result, Err(StateError::Other(_))), "expected a plain error, got {result:?}");
    }
}

pub(crate) async fn first_write_to_absent_key_succeeds(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn second_first_write_is_rejected_as_declared(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    assert_refused(&s, s.set(first_write(s.write("k", "w"))).await);
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn first_write_over_plain_value_is_as_declared(s: Subject) {
    s.put("k", "v").await;
    let result = s.set(first_write(s.write("k", "w"))).await;
    if s.declared.first_write_sees_every_value {
        assert_refused(&s, result);
    } else {
        result.unwrap();
    }
}

pub(crate) async fn first_write_with_current_etag_succeeds(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    let etag = s.etag("k").await;
    s.set(first_write(with_etag(s.write("k", "w"), &*etag))).await.unwrap();
    assert_mismatch(s.set(first_write(with_etag(s.write("k", "x"), etag))).await);
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn first_write_after_delete_succeeds(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    s.delete(s.removal("k")).await.unwrap();
    s.set(first_write(s.write("k", "w"))).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn last_write_over_first_write_is_as_declared(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    let result = s.set(s.write("k", "w")).await;
    if s.declared.first_write_sees_every_value {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "w");
    } else {
        assert_refused(&s, result);
    }
}
