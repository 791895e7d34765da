//! The list of cases, each with the feature that it is about.

use building_blocks::state::{StateFeature, StateFeatures};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::subject::{Behaviours, Subject};
use crate::{bulk, concurrency, etags, first_write, keys, transactions, ttl, values};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: fn(Subject) -> BoxFuture<'static, ()>,
}

/// Without what a case means nothing.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    Nothing,
    Feature(StateFeature),
    /// An etag that is good for one write by the one who read it: all of compare-and-swap, and a part of what etags are.
    Swap,
}

impl Needs {
    /// Whether a store of these features, which declares this, has it.
    pub(crate) fn is_met(self, features: StateFeatures, declared: &Behaviours) -> bool {
        match self {
            Self::Nothing => true,
            Self::Feature(feature) => features.contains(feature),
            Self::Swap => declared.swaps || features.contains(StateFeature::Etag),
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
            what_was_written_is_read_back_byte_for_byte,
            every_byte_value_survives,
            an_empty_value_is_a_value,
            text_with_zeros_in_it_survives,
            json_is_not_reformatted,
            a_value_of_four_mebibytes_survives,
            a_later_write_replaces_an_earlier_one,
            a_shorter_value_leaves_nothing_of_a_longer_one,
            strong_and_eventual_reads_see_what_was_written,
            a_ping_of_a_working_store_succeeds;
        keys, Nothing =>
            a_missing_key_is_absent,
            a_deleted_key_is_absent,
            deleting_what_is_absent_succeeds,
            a_deleted_key_can_be_written_again,
            keys_are_told_apart_by_case,
            keys_with_odd_characters_are_just_keys,
            a_key_with_a_nul_in_it_is_itself_or_refused,
            spaces_around_a_key_belong_to_it,
            a_key_of_a_thousand_bytes_is_a_key,
            a_key_is_not_a_prefix_of_another,
            keys_with_patterns_in_them_match_only_themselves;
        etags, Swap =>
            a_read_tells_an_etag,
            a_write_with_the_current_etag_succeeds,
            of_two_who_read_the_same_only_the_first_writes,
            a_value_that_was_changed_and_changed_back_has_been_changed,
            a_write_with_an_etag_from_before_a_delete_does_what_is_declared;
        etags, Feature(Etag) =>
            each_write_changes_the_etag,
            reading_does_not_change_the_etag,
            a_write_with_a_stale_etag_is_a_mismatch_and_changes_nothing,
            an_etag_works_only_once,
            an_etag_outlives_a_write_that_was_refused,
            a_delete_with_the_current_etag_succeeds,
            a_delete_with_a_stale_etag_is_a_mismatch_and_deletes_nothing,
            an_empty_etag_is_no_etag,
            a_last_write_with_a_stale_etag_does_what_is_declared,
            a_write_with_an_etag_to_an_absent_key_does_what_is_declared,
            a_delete_with_an_etag_of_an_absent_key_does_what_is_declared,
            an_etag_of_a_form_never_issued_is_refused_as_declared;
        first_write, Swap =>
            the_first_write_to_an_absent_key_succeeds,
            a_second_first_write_without_an_etag_is_refused_as_declared,
            a_first_write_over_any_existing_value_is_refused_where_declared,
            a_first_write_with_the_current_etag_succeeds,
            a_first_write_after_a_delete_succeeds,
            a_last_write_over_a_first_write_does_what_is_declared;
        ttl, Feature(Ttl) =>
            a_value_without_ttl_tells_no_expiry,
            a_value_with_ttl_is_there_before_it_expires,
            a_value_with_ttl_tells_when_it_expires_where_declared,
            a_value_with_ttl_goes_away,
            a_rewrite_without_ttl_does_what_is_declared,
            a_rewrite_with_minus_one_removes_the_ttl,
            a_rewrite_with_a_longer_ttl_prolongs_it,
            an_expired_key_can_be_written_first_again,
            a_bulk_read_leaves_out_what_has_expired,
            a_ttl_that_is_no_number_is_an_error_and_writes_nothing;
        bulk, Nothing =>
            a_bulk_read_answers_in_order_and_marks_what_is_absent,
            a_bulk_read_of_nothing_is_nothing,
            a_bulk_read_of_one_key_twice_answers_twice,
            bulk_writes_and_deletes_of_nothing_are_nothing,
            a_bulk_write_writes_all,
            a_bulk_delete_deletes_all_and_forgives_what_is_absent;
        bulk, Feature(Etag) =>
            a_bulk_read_tells_the_etags_that_single_reads_tell,
            a_bulk_write_with_one_stale_etag_fails_only_there,
            a_bulk_delete_with_one_stale_etag_fails_only_there;
        transactions, Feature(Transactional) =>
            a_transaction_applies_all_of_its_operations,
            operations_apply_in_their_order,
            an_empty_transaction_succeeds,
            a_transaction_of_a_hundred_operations_applies_all,
            a_transaction_may_delete_what_is_absent,
            a_stale_etag_fails_the_transaction_and_where_declared_changes_nothing,
            a_refused_first_write_fails_the_transaction,
            a_current_etag_lets_the_transaction_pass,
            a_transaction_honours_ttl;
        concurrency, Feature(Etag) =>
            sixteen_writers_with_one_etag_have_one_winner_in_every_round;
        concurrency, Swap =>
            sixteen_who_read_the_same_have_one_winner_in_every_round,
            sixteen_first_writers_have_one_winner,
            optimistic_increments_are_never_lost;
        concurrency, Nothing =>
            readers_never_see_half_of_a_write;
    }
}
