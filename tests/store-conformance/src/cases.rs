//! List of the cases, with their requirements.

use dapr_building_blocks::state::{StateFeature, StateFeatures};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::subject::{Behaviours, Subject};
use crate::{bulk, concurrency, etags, first_write, keys, transactions, ttl, values};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: fn(Subject) -> BoxFuture<'static, ()>,
}

/// Requirement of a case.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    Nothing,
    Feature(StateFeature),
    /// Etag that is valid for one write by its reader. All of compare-and-swap, and a part of the etag feature.
    Swap,
}

impl Needs {
    /// Returns true if a store with these features and declared behaviours meets the requirement.
    pub(crate) fn is_met(self, features: StateFeatures, declared: &Behaviours) -> bool {
        match self {
            Self::Nothing => true,
            Self::Feature(feature) => features.contains(feature),
            Self::Swap => declared.has_compare_and_swap || features.contains(StateFeature::Etag),
        }
    }
}

macro_rules! cases {
    ($($module:ident, $needs:expr => $($name:ident),+ $(,)?;)+) => {
        vec![$($(Case {
            name: stringify!($name),
            needs: $needs,
            run: |subject| $module::$name(subject).boxed(),
        }),+),+]
    };
}

pub(crate) fn all() -> Vec<Case> {
    use Needs::{Feature, Nothing, Swap};
    use StateFeature::{Etag, Transactional, Ttl};
    cases! {
        values, Nothing =>
            value_is_read_back_unchanged,
            all_byte_values_are_preserved,
            empty_value_is_not_absent,
            text_with_nul_bytes_is_preserved,
            json_is_not_reformatted,
            value_of_four_mebibytes_is_preserved,
            later_write_replaces_earlier_one,
            shorter_value_fully_replaces_longer_one,
            strong_and_eventual_reads_see_last_write,
            ping_of_working_store_succeeds;
        keys, Nothing =>
            missing_key_is_absent,
            deleted_key_is_absent,
            delete_of_absent_key_succeeds,
            deleted_key_can_be_written_again,
            keys_are_case_sensitive,
            keys_may_contain_special_characters,
            key_with_nul_is_distinct_or_rejected,
            spaces_around_key_are_significant,
            key_of_thousand_bytes_is_accepted,
            key_prefix_does_not_match,
            key_patterns_match_literally;
        etags, Swap =>
            read_returns_an_etag,
            write_with_current_etag_succeeds,
            second_write_with_same_read_etag_fails,
            etag_is_stale_after_change_and_change_back,
            write_with_etag_after_delete_is_as_declared;
        etags, Feature(Etag) =>
            each_write_changes_the_etag,
            read_does_not_change_the_etag,
            write_with_stale_etag_is_a_mismatch,
            etag_is_valid_for_one_write,
            etag_stays_valid_after_rejected_write,
            delete_with_current_etag_succeeds,
            delete_with_stale_etag_is_a_mismatch,
            empty_etag_counts_as_none,
            last_write_with_stale_etag_is_as_declared,
            write_with_etag_to_absent_key_is_as_declared,
            delete_with_etag_of_absent_key_is_as_declared,
            malformed_etag_is_rejected_as_declared;
        first_write, Swap =>
            first_write_to_absent_key_succeeds,
            second_first_write_is_rejected_as_declared,
            first_write_over_plain_value_is_as_declared,
            first_write_with_current_etag_succeeds,
            first_write_after_delete_succeeds,
            last_write_over_first_write_is_as_declared;
        ttl, Feature(Ttl) =>
            value_without_ttl_has_no_expiry,
            value_with_ttl_exists_before_expiry,
            value_with_ttl_has_expiry_if_declared,
            value_with_ttl_expires,
            rewrite_without_ttl_is_as_declared,
            rewrite_with_minus_one_removes_ttl,
            rewrite_with_longer_ttl_extends_it,
            expired_key_accepts_first_write,
            bulk_read_omits_expired_values,
            invalid_ttl_is_an_error_and_writes_nothing;
        bulk, Nothing =>
            bulk_read_keeps_order_and_marks_absent_keys,
            empty_bulk_read_is_empty,
            bulk_read_of_duplicate_key_has_two_results,
            empty_bulk_write_and_delete_are_empty,
            bulk_write_writes_all,
            bulk_delete_deletes_all_and_ignores_absent_keys;
        bulk, Feature(Etag) =>
            bulk_read_has_same_etags_as_single_reads,
            bulk_write_fails_only_for_stale_etag,
            bulk_delete_fails_only_for_stale_etag;
        transactions, Feature(Transactional) =>
            transaction_applies_all_operations,
            transaction_applies_operations_in_order,
            empty_transaction_succeeds,
            transaction_of_hundred_operations_applies_all,
            transaction_may_delete_absent_key,
            stale_etag_fails_transaction_as_declared,
            rejected_first_write_fails_transaction,
            transaction_with_current_etags_succeeds,
            transaction_applies_ttl;
        concurrency, Feature(Etag) =>
            concurrent_writers_with_one_etag_have_one_winner;
        concurrency, Swap =>
            concurrent_read_modify_writers_have_one_winner,
            concurrent_first_writers_have_one_winner,
            optimistic_increments_are_never_lost;
        concurrency, Nothing =>
            readers_never_see_partial_writes;
    }
}
