//! Etags: a write or delete that carries one happens only if nothing happened since it was read.

use crate::subject::{Subject, assert_mismatch, delete_with_etag, with_etag};
use building_blocks::StateError;
use building_blocks::state::{Concurrency, SetRequest, StateOptions};

pub(crate) async fn a_read_tells_an_etag(s: Subject) {
    s.put("k", "v").await;
    assert!(!s.etag("k").await.is_empty());
}

pub(crate) async fn each_write_changes_the_etag(s: Subject) {
    s.put("k", "same").await;
    let first = s.etag("k").await;
    s.put("k", "same").await;
    assert_ne!(s.etag("k").await, first);
}

pub(crate) async fn reading_does_not_change_the_etag(s: Subject) {
    s.put("k", "v").await;
    assert_eq!(s.etag("k").await, s.etag("k").await);
}

pub(crate) async fn a_write_with_the_current_etag_succeeds(s: Subject) {
    s.put("k", "v").await;
    s.set(with_etag(s.write("k", "w"), s.etag("k").await)).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_write_with_a_stale_etag_is_a_mismatch_and_changes_nothing(s: Subject) {
    s.put("k", "v").await;
    let before = s.get("k").await;
    assert_mismatch(s.set(with_etag(s.write("k", "w"), s.stale_etag())).await);
    assert_eq!(s.get("k").await, before);
}

pub(crate) async fn of_two_who_read_the_same_only_the_first_writes(s: Subject) {
    s.put("k", "v").await;
    let (first, second) = (s.etag("k").await, s.etag("k").await);
    s.set(with_etag(s.write("k", "first"), first)).await.unwrap();
    assert_mismatch(s.set(with_etag(s.write("k", "second"), second)).await);
    assert_eq!(s.value("k").await.unwrap(), "first");
}

pub(crate) async fn a_value_that_was_changed_and_changed_back_has_been_changed(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    s.put("k", "w").await;
    s.put("k", "v").await;
    assert_mismatch(s.set(with_etag(s.write("k", "x"), etag)).await);
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn a_write_with_an_etag_from_before_a_delete_does_what_is_declared(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    s.delete(s.removal("k")).await.unwrap();
    let result = s.set(with_etag(s.write("k", "w"), etag)).await;
    if s.declared.etag_needs_the_key {
        assert_mismatch(result);
        assert_eq!(s.get("k").await, None);
    } else {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "w");
    }
}

pub(crate) async fn an_etag_works_only_once(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    s.set(with_etag(s.write("k", "w"), &*etag)).await.unwrap();
    assert_mismatch(s.set(with_etag(s.write("k", "x"), &*etag)).await);
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_delete_with_the_current_etag_succeeds(s: Subject) {
    s.put("k", "v").await;
    s.delete(delete_with_etag(s.removal("k"), s.etag("k").await)).await.unwrap();
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn a_delete_with_a_stale_etag_is_a_mismatch_and_deletes_nothing(s: Subject) {
    s.put("k", "v").await;
    assert_mismatch(s.delete(delete_with_etag(s.removal("k"), s.stale_etag())).await);
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn an_empty_etag_is_no_etag(s: Subject) {
    s.set(with_etag(s.write("k", "v"), "")).await.unwrap();
    s.set(with_etag(s.write("k", "w"), "")).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
    s.delete(delete_with_etag(s.removal("k"), "")).await.unwrap();
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn a_write_with_an_etag_to_an_absent_key_does_what_is_declared(s: Subject) {
    let result = s.set(with_etag(s.write("k", "v"), s.stale_etag())).await;
    if s.declared.etag_needs_the_key {
        assert_mismatch(result);
        assert_eq!(s.get("k").await, None);
    } else {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "v");
    }
}

pub(crate) async fn a_delete_with_an_etag_of_an_absent_key_does_what_is_declared(s: Subject) {
    let result = s.delete(delete_with_etag(s.removal("k"), s.stale_etag())).await;
    if s.declared.etag_needs_the_key {
        assert_mismatch(result);
    } else {
        result.unwrap();
    }
}

pub(crate) async fn an_etag_of_a_form_never_issued_is_refused_as_declared(s: Subject) {
    s.put("k", "v").await;
    let result = s.set(with_etag(s.write("k", "w"), "not an etag")).await;
    if s.declared.etags_are_opaque {
        assert_mismatch(result);
    } else {
        assert!(matches!(result, Err(StateError::EtagInvalid(_))), "expected an invalid etag, got {result:?}");
    }
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn an_etag_outlives_a_write_that_was_refused(s: Subject) {
    s.put("k", "v").await;
    let etag = s.etag("k").await;
    assert_mismatch(s.set(with_etag(s.write("k", "w"), s.stale_etag())).await);
    s.set(with_etag(s.write("k", "x"), etag)).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "x");
}

pub(crate) async fn a_last_write_with_a_stale_etag_does_what_is_declared(s: Subject) {
    s.put("k", "v").await;
    let options = StateOptions { concurrency: Concurrency::LastWrite, ..StateOptions::default() };
    let write = SetRequest { options, ..with_etag(s.write("k", "w"), s.stale_etag()) };
    let result = s.set(write).await;
    if s.declared.last_write_minds_the_etag {
        assert_mismatch(result);
        assert_eq!(s.value("k").await.unwrap(), "v");
    } else {
        result.unwrap();
        assert_eq!(s.value("k").await.unwrap(), "w");
    }
}
