//! Stores that are wrong in one way each: the suite has to see it, and to name the case.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use building_blocks::state::{
    Concurrency, DeleteRequest, GetRequest, Operation, SetRequest, StateFeatures, StateItem, TTL_IN_SECONDS,
};
use building_blocks::{Metadata, StateError, StateStore};
use store_conformance::{Behaviours, run};

use crate::{keyvalue, stores};

/// One way of being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    CutsValuesAtNul,
    LosesEmptyValues,
    FoldsKeys,
    TrimsKeys,
    NeverDeletes,
    IgnoresEtags,
    IgnoresEtagsOfDeletes,
    TellsNoEtag,
    IgnoresFirstWrite,
    TakesEmptyEtagsForEtags,
    IgnoresTtl,
    ForgetsTtlErrors,
    TellsNoExpiry,
    ReversesBulkReads,
    StopsBulkWritesAtTheFirstError,
    AppliesHalfOfATransaction,
    ReversesTransactions,
    NeverAnswersPings,
}

/// A good store with a fault before it.
struct Wrong(Arc<dyn StateStore>, Fault);

impl Wrong {
    fn key(&self, key: String) -> String {
        match self.1 {
            Fault::FoldsKeys => key.to_lowercase(),
            Fault::TrimsKeys => key.trim().to_owned(),
            _ => key,
        }
    }

    fn altered(&self, mut request: SetRequest) -> SetRequest {
        request.key = self.key(request.key);
        match self.1 {
            Fault::CutsValuesAtNul => {
                let end = request.value.iter().position(|byte| *byte == 0).unwrap_or(request.value.len());
                request.value.truncate(end);
            }
            Fault::IgnoresEtags => request.etag = None,
            Fault::TakesEmptyEtagsForEtags if request.etag.as_deref() == Some("") => request.etag = Some("none".into()),
            Fault::IgnoresFirstWrite if request.etag.is_none() => request.options.concurrency = Concurrency::LastWrite,
            Fault::IgnoresTtl => drop(request.metadata.remove(TTL_IN_SECONDS)),
            Fault::ForgetsTtlErrors => {
                request.metadata.retain(|_, value| value.parse::<i32>().is_ok());
            }
            _ => {}
        }
        request
    }

    fn without_etag(&self, mut request: DeleteRequest) -> DeleteRequest {
        request.key = self.key(request.key);
        if matches!(self.1, Fault::IgnoresEtags | Fault::IgnoresEtagsOfDeletes) {
            request.etag = None;
        }
        request
    }
}

#[async_trait]
impl StateStore for Wrong {
    fn features(&self) -> StateFeatures {
        self.0.features()
    }

    async fn get(&self, mut request: GetRequest) -> Result<Option<StateItem>, StateError> {
        request.key = self.key(request.key);
        let Some(mut item) = self.0.get(request).await? else { return Ok(None) };
        match self.1 {
            Fault::LosesEmptyValues if item.value.is_empty() => return Ok(None),
            Fault::TellsNoEtag => item.etag = None,
            Fault::TellsNoExpiry => item.metadata.clear(),
            _ => {}
        }
        Ok(Some(item))
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.0.set(self.altered(request)).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        if self.1 == Fault::NeverDeletes {
            return Ok(());
        }
        self.0.delete(self.without_etag(request)).await
    }

    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        parallelism: usize,
    ) -> Vec<Result<Option<StateItem>, StateError>> {
        let mut answers = self.0.bulk_get(requests, parallelism).await;
        if self.1 == Fault::ReversesBulkReads {
            answers.reverse();
        }
        answers
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>, parallelism: usize) -> Vec<Result<(), StateError>> {
        if self.1 != Fault::StopsBulkWritesAtTheFirstError {
            return self.0.bulk_set(requests, parallelism).await;
        }
        let mut answers = Vec::new();
        for request in requests {
            let stopped = answers.iter().any(Result::is_err);
            answers.push(if stopped { Ok(()) } else { self.0.set(request).await });
        }
        answers
    }

    async fn transact(&self, mut operations: Vec<Operation>, metadata: Metadata) -> Result<(), StateError> {
        match self.1 {
            Fault::ReversesTransactions => operations.reverse(),
            Fault::AppliesHalfOfATransaction => {
                for operation in operations {
                    self.0.transact(vec![operation], metadata.clone()).await?;
                }
                return Ok(());
            }
            _ => {}
        }
        self.0.transact(operations, metadata).await
    }

    async fn ping(&self) -> Result<(), StateError> {
        if self.1 == Fault::NeverAnswersPings { Err(StateError::Unavailable("gone".into())) } else { Ok(()) }
    }
}

const SEEN: &[(Fault, &str)] = &[
    (Fault::CutsValuesAtNul, "text_with_zeros_in_it_survives"),
    (Fault::LosesEmptyValues, "an_empty_value_is_a_value"),
    (Fault::FoldsKeys, "keys_are_told_apart_by_case"),
    (Fault::TrimsKeys, "spaces_around_a_key_belong_to_it"),
    (Fault::NeverDeletes, "a_deleted_key_is_absent"),
    (Fault::IgnoresEtags, "sixteen_writers_with_one_etag_have_one_winner_in_every_round"),
    (Fault::IgnoresEtagsOfDeletes, "a_delete_with_a_stale_etag_is_a_mismatch_and_deletes_nothing"),
    (Fault::TellsNoEtag, "a_read_tells_an_etag"),
    (Fault::IgnoresFirstWrite, "sixteen_first_writers_have_one_winner"),
    (Fault::TakesEmptyEtagsForEtags, "an_empty_etag_is_no_etag"),
    (Fault::IgnoresTtl, "a_value_with_ttl_tells_when_it_expires_where_declared"),
    (Fault::ForgetsTtlErrors, "a_ttl_that_is_no_number_is_an_error_and_writes_nothing"),
    (Fault::TellsNoExpiry, "a_value_with_ttl_tells_when_it_expires_where_declared"),
    (Fault::ReversesBulkReads, "a_bulk_read_answers_in_order_and_marks_what_is_absent"),
    (Fault::StopsBulkWritesAtTheFirstError, "a_bulk_write_with_one_stale_etag_fails_only_there"),
    (Fault::AppliesHalfOfATransaction, "a_stale_etag_fails_the_transaction_and_where_declared_changes_nothing"),
    (Fault::ReversesTransactions, "operations_apply_in_their_order"),
    (Fault::NeverAnswersPings, "a_ping_of_a_working_store_succeeds"),
];

/// What never goes away need not be waited for long.
fn impatient() -> Behaviours {
    Behaviours { patience: Duration::from_secs(3), ..Behaviours::default() }
}

#[test]
fn each_fault_is_seen_by_the_case_that_is_about_it() {
    // Cases about expiry wait without doing anything, so all faults wait at the same time.
    std::thread::scope(|threads| {
        for (fault, case) in SEEN {
            threads.spawn(move || is_seen(*fault, case));
        }
    });
}

fn is_seen(fault: Fault, case: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let good = stores::native("state.in-memory", &[]).await;
        run("wrong", Arc::new(Wrong(good, fault)), impatient()).await
    });
    let failed: Vec<_> = report.failures().map(|(name, _)| name).collect();
    assert!(failed.contains(&case), "{fault:?} went by {case}; failed: {failed:?}");
    assert!(failed.len() < report.outcomes.len() / 2, "{fault:?} failed more than it is about: {failed:?}");
}

const SEEN_THROUGH_KEYVALUE: &[(Fault, &str)] = &[
    (Fault::CutsValuesAtNul, "text_with_zeros_in_it_survives"),
    (Fault::LosesEmptyValues, "an_empty_value_is_a_value"),
    (Fault::FoldsKeys, "keys_are_told_apart_by_case"),
    (Fault::TrimsKeys, "spaces_around_a_key_belong_to_it"),
    (Fault::NeverDeletes, "a_deleted_key_is_absent"),
    (Fault::IgnoresEtags, "sixteen_who_read_the_same_have_one_winner_in_every_round"),
    (Fault::TellsNoEtag, "of_two_who_read_the_same_only_the_first_writes"),
    (Fault::ReversesBulkReads, "a_bulk_read_answers_in_order_and_marks_what_is_absent"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_behind_wasi_keyvalue_is_seen_before_it() {
    for (fault, case) in SEEN_THROUGH_KEYVALUE {
        let wrong = Wrong(stores::native("state.in-memory", &[]).await, *fault);
        let report = run("wrong", keyvalue::on(Arc::new(wrong)).await, keyvalue::behaviours()).await;
        let failed: Vec<_> = report.failures().map(|(name, _)| name).collect();
        assert!(failed.contains(case), "{fault:?} went by {case}; failed: {failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_only_pretends_fails_case_by_case() {
    let report = run("faulty-store", stores::wasm("faulty-store").await, Behaviours::default()).await;
    let failed = report.failures().count();
    assert!(failed >= 40, "{failed} of {} cases failed", report.outcomes.len());
}
