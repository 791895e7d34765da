//! Etags: a write or delete with an etag succeeds only if the value is unchanged.

use crate::subject::{Subject, assert_mismatch, delete_with_etag, with_etag};
use dapr_building_blocks::StateError;
use dapr_building_blocks::state::{Concurrency, SetRequest, StateOptions};

pub(crate) async fn read_returns_an_etag(s: Subject) {
    s.put("k", "v").await;
    assert!(!s.etag("k").await.is_empty());
}

pub(crate) async fn each_write_changes_the_etag(s: Subject) {
    s.put("k", "same").await;
    let first = s.etag("k").await;
    s.put("k", "same").await;
    assert_ne!(s.etag("k").await, first);
}

pub(crate) async fn read_does_not_change_the_etag(s: Subject) {
    s.put("k", "v").await;
    assert_eq!(s.etag("k").await, s.etag("k").await);
}

pub(crate) async fn write_with_current_etag_succeeds(s: Subject) {
    s.put("k", "v").await;
    s.set(with_etag(s.write("k", "w"), s.etag("k").await)).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn write_with_stale_etag_is_a_mismatch(s: Subject) {
    s.put("k", "v").await;
    let before = s.get("k").await;
    assert_mismatch(s.set(with_etag(s.write("k", "w"), s.stale_etag())).await);
    assert_eq!(s.get("k").await, before);
}

pub(crate) async fn second_write_with_same_read_etag_fails(s: Subject) {
    s.put("k", "v").await;
    let (first, second) = (s.etag("k").await, s.etag("k").await);
    s.set(with_etag(s.write("k", "first"), first)).await.unwrap();
    assert_mismatch(s.set(with_etag(s.write("k", "second"), second)).await);
    assert_eq!(s.value("k").await.unwrap(), "first");
}

pub(crate) async fn etag_is_stale_after_change_and_change_back(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    s.put("k", "w").await;
    s.put("k", "v").await;
    assert_mismatch(s.set(with_etag(s.write("k", "x"), etag)).await);
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn write_with_etag_after_delete_is_as_declared(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    s.delete(s.removal("k")).await.unwrap();
    let result = s.set(with_etag(s.write("k", "w"), etag)).await;
    if s.declared.etag_requires_key {
        assert_mismatch(result);
        assert_eq!(s.get("k").await, None);
    } else {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "w");
    }
}

pub(crate) async fn etag_is_valid_for_one_write(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    s.set(with_etag(s.write("k", "w"), &*etag)).await.unwrap();
    assert_mismatch(s.set(with_etag(s.write("k", "x"), &*etag)).await);
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn delete_with_current_etag_succeeds(s: Subject) {
    s.put("k", "v").await;
    s.delete(delete_with_etag(s.removal("k"), s.etag("k").await)).await.unwrap();
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn delete_with_stale_etag_is_a_mismatch(s: Subject) {
    s.put("k", "v").await;
    assert_mismatch(s.delete(delete_with_etag(s.removal("k"), s.stale_etag())).await);
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn empty_etag_counts_as_none(s: Subject) {
    s.set(with_etag(s.write("k", "v"), "")).await.unwrap();
    s.set(with_etag(s.write("k", "w"), "")).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
    s.delete(delete_with_etag(s.removal("k"), "")).await.unwrap();
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn write_with_etag_to_absent_key_is_as_declared(s: Subject) {
    let result = s.set(with_etag(s.write("k", "v"), s.stale_etag())).await;
    if s.declared.etag_requires_key {
        assert_mismatch(result);
        assert_eq!(s.get("k").await, None);
    } else {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "v");
    }
}

pub(crate) async fn delete_with_etag_of_absent_key_is_as_declared(s: Subject) {
    let result = s.delete(delete_with_etag(s.removal("k"), s.stale_etag())).await;
    if s.declared.etag_requires_key {
        assert_mismatch(result);
    } else {
        result.unwrap();
    }
}

pub(crate) async fn malformed_etag_is_rejected_as_declared(s: Subject) {
    s.put("k", "v").await;
    let result = s.set(with_etag(s.write("k", "w"), "not an etag")).await;
    if s.declared.etags_are_opaque {
        assert_mismatch(result);
    } else {
        assert!(matches!(result, Err(StateError::EtagInvalid(_))), "expected an invalid etag, got {result:?}");
    }
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn etag_stays_valid_after_rejected_write(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    assert_mismatch(s.set(with_etag(s.write("k", "w"), s.stale_etag())).await);
    s.set(with_etag(s.write("k", "x"), etag)).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "x");
}

pub(crate) async fn last_write_with_stale_etag_is_as_declared(s: Subject) {
    s.put("k", "v").await;
    let options = StateOptions { concurrency: Concurrency::LastWrite, ..StateOptions::default() };
    let write = SetRequest { options, ..with_etag(s.write("k", "w"), s.stale_etag()) };
    let result = s.set(write).await;
    if s.declared.last_write_checks_etag {
        assert_mismatch(result);
        assert_eq!(s.value("k").await.unwrap(), "v");
    } else {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "w");
    }
}
