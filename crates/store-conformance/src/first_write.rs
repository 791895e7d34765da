//! `first-write`: without an etag it means "only if nobody was here before".

use crate::subject::{Subject, assert_mismatch, first_write, with_etag};
use building_blocks::StateError;

fn assert_refused(s: &Subject, result: Result<(), StateError>) {
    if s.declared.first_write_conflict_is_mismatch {
        assert_mismatch(result);
    } else {
        assert!(matches!(result, Err(StateError::Other(_))), "expected a plain error, got {result:?}");
    }
}

pub(crate) async fn the_first_write_to_an_absent_key_succeeds(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn a_second_first_write_without_an_etag_is_refused_as_declared(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    assert_refused(&s, s.set(first_write(s.write("k", "w"))).await);
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn a_first_write_over_any_existing_value_is_refused_where_declared(s: Subject) {
    s.put("k", "v").await;
    let result = s.set(first_write(s.write("k", "w"))).await;
    if s.declared.first_write_sees_every_value {
        assert_refused(&s, result);
    } else {
        result.unwrap();
    }
}

pub(crate) async fn a_first_write_with_the_current_etag_succeeds(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    let etag = s.etag("k").await;
    s.set(first_write(with_etag(s.write("k", "w"), &*etag))).await.unwrap();
    assert_mismatch(s.set(first_write(with_etag(s.write("k", "x"), etag))).await);
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_first_write_after_a_delete_succeeds(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    s.delete(s.removal("k")).await.unwrap();
    s.set(first_write(s.write("k", "w"))).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_last_write_over_a_first_write_does_what_is_declared(s: Subject) {
    s.set(first_write(s.write("k", "v"))).await.unwrap();
    let result = s.set(s.write("k", "w")).await;
    if s.declared.first_write_sees_every_value {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "w");
    } else {
        assert_refused(&s, result);
    }
}
