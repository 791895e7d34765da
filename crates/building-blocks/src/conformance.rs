//! What every state store must do, as a suite that runs against any of them: native, Wasm, or behind a real `daprd`.
//!
//! Follows what `components-contrib/tests/conformance/state/state.go` checks, and adds what that leaves open. Where
//! Dapr's own stores differ from each other, a store says so in [`Behaviours`] and is held to what it says; no case is
//! loosened.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test suite: a case fails by panicking, and the runner reports it"
)]

mod bulk;
mod concurrency;
mod etags;
mod first_write;
mod keys;
mod subject;
mod transactions;
mod ttl;
mod values;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use subject::{Behaviours, Subject};

use crate::StateStore;

struct Case {
    name: &'static str,
    run: fn(Subject) -> BoxFuture<'static, ()>,
}

/// What became of each case.
#[derive(Debug, Default)]
pub struct Report {
    /// The cases that passed.
    pub passed: Vec<&'static str>,
    /// The cases that failed, with what they said.
    pub failed: Vec<(&'static str, String)>,
}

impl Report {
    /// Fails the test that calls it if any case failed, and names all that did.
    ///
    /// # Panics
    /// If a case failed.
    pub fn assert_passed(&self) {
        let failures: Vec<_> = self.failed.iter().map(|(name, said)| format!("{name}: {said}")).collect();
        assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
    }
}

/// Runs every case against `store`, one after the other, each on keys of its own.
pub async fn run(store: Arc<dyn StateStore>, behaviours: Behaviours) -> Report {
    let mut report = Report::default();
    for case in cases() {
        let subject = Subject::new(store.clone(), behaviours.clone(), case.name);
        match AssertUnwindSafe((case.run)(subject)).catch_unwind().await {
            Ok(()) => report.passed.push(case.name),
            Err(panic) => report.failed.push((case.name, message(&*panic))),
        }
    }
    report
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

macro_rules! cases {
    ($($module:ident: $($name:ident),+ $(,)?;)+) => {
        vec![$($(Case { name: stringify!($name), run: |subject| $module::$name(subject).boxed() }),+),+]
    };
}

fn cases() -> Vec<Case> {
    cases! {
        values:
            what_was_written_is_read_back_byte_for_byte,
            every_byte_value_survives,
            an_empty_value_is_a_value,
            text_with_zeros_in_it_survives,
            json_is_not_reformatted,
            a_value_of_four_mebibytes_survives,
            a_later_write_replaces_an_earlier_one,
            a_ping_of_a_working_store_succeeds;
        keys:
            a_missing_key_is_absent,
            a_deleted_key_is_absent,
            deleting_what_is_absent_succeeds,
            keys_are_told_apart_by_case,
            keys_with_odd_characters_are_just_keys,
            a_key_of_a_thousand_bytes_is_a_key,
            a_key_is_not_a_prefix_of_another,
            keys_with_patterns_in_them_match_only_themselves;
        etags:
            a_read_tells_an_etag,
            each_write_changes_the_etag,
            reading_does_not_change_the_etag,
            a_write_with_the_current_etag_succeeds,
            a_write_with_a_stale_etag_is_a_mismatch_and_changes_nothing,
            an_etag_works_only_once,
            a_delete_with_the_current_etag_succeeds,
            a_delete_with_a_stale_etag_is_a_mismatch_and_deletes_nothing,
            an_empty_etag_is_no_etag,
            a_write_with_an_etag_to_an_absent_key_does_what_is_declared,
            a_delete_with_an_etag_of_an_absent_key_does_what_is_declared,
            an_etag_of_a_form_never_issued_is_refused_as_declared;
        first_write:
            the_first_write_to_an_absent_key_succeeds,
            a_second_first_write_without_an_etag_is_refused_as_declared,
            a_first_write_over_any_existing_value_is_refused_where_declared,
            a_first_write_with_the_current_etag_succeeds,
            a_first_write_after_a_delete_succeeds,
            a_last_write_over_a_first_write_does_what_is_declared;
        ttl:
            a_value_without_ttl_tells_no_expiry,
            a_value_with_ttl_is_there_before_it_expires,
            a_value_with_ttl_tells_when_it_expires_where_declared,
            a_value_with_ttl_goes_away,
            a_rewrite_without_ttl_does_what_is_declared,
            a_rewrite_with_minus_one_removes_the_ttl,
            an_expired_key_can_be_written_first_again,
            a_ttl_that_is_no_number_is_an_error_and_writes_nothing;
        bulk:
            a_bulk_read_answers_in_order_and_marks_what_is_absent,
            a_bulk_read_of_nothing_is_nothing,
            a_bulk_read_of_one_key_twice_answers_twice,
            a_bulk_write_writes_all,
            a_bulk_write_with_one_stale_etag_fails_only_there,
            a_bulk_delete_deletes_all_and_forgives_what_is_absent,
            a_bulk_delete_with_one_stale_etag_fails_only_there;
        transactions:
            a_transaction_applies_all_of_its_operations,
            operations_apply_in_their_order,
            an_empty_transaction_succeeds,
            a_stale_etag_fails_the_transaction_and_where_declared_changes_nothing,
            a_current_etag_lets_the_transaction_pass,
            a_transaction_honours_ttl;
        concurrency:
            sixteen_writers_with_one_etag_have_one_winner_in_every_round,
            sixteen_first_writers_have_one_winner,
            optimistic_increments_are_never_lost;
    }
}
