//! Stores with one fault each: the suite has to detect the fault and name the case.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::state::{
    Concurrency, DeleteRequest, GetRequest, Operation, SetRequest, StateFeatures, StateItem, TTL_IN_SECONDS,
};
use dapr_building_blocks::{Metadata, StateError, StateStore};
use store_conformance::{Behaviours, run};

use crate::{keyvalue, stores};

/// Fault of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    CutsValuesAtNul,
    LosesEmptyValues,
    FoldsKeys,
    TrimsKeys,
    NeverDeletes,
    IgnoresEtags,
    IgnoresEtagsOfDeletes,
    OmitsEtag,
    IgnoresFirstWrite,
    ComparesEmptyEtags,
    IgnoresTtl,
    IgnoresTtlErrors,
    OmitsExpiry,
    ReversesBulkReads,
    StopsBulkWritesAtTheFirstError,
    AppliesHalfOfATransaction,
    ReversesTransactions,
    FailsPings,
}

/// Correct store with a fault in front of it.
struct FaultyStore(Arc<dyn StateStore>, Fault);

impl FaultyStore {
    fn key(&self, key: String) -> String {
        match self.1 {
            Fault::FoldsKeys => key.to_lowercase(),
            Fault::TrimsKeys => key.trim().to_owned(),
            _ => key,
        }
    }

    fn alter(&self, mut request: SetRequest) -> SetRequest {
        request.key = self.key(request.key);
        match self.1 {
            Fault::CutsValuesAtNul => {
                let end = request.value.iter().position(|byte| *byte == 0).unwrap_or(request.value.len());
                request.value.truncate(end);
            }
            Fault::IgnoresEtags => request.etag = None,
            Fault::ComparesEmptyEtags if request.etag.as_deref() == Some("") => request.etag = Some("none".into()),
            Fault::IgnoresFirstWrite if request.etag.is_none() => request.options.concurrency = Concurrency::LastWrite,
            Fault::IgnoresTtl => drop(request.metadata.remove(TTL_IN_SECONDS)),
            Fault::IgnoresTtlErrors => {
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
impl StateStore for FaultyStore {
    fn features(&self) -> StateFeatures {
        self.0.features()
    }

    async fn get(&self, mut request: GetRequest) -> Result<Option<StateItem>, StateError> {
        request.key = self.key(request.key);
        let Some(mut item) = self.0.get(request).await? else { return Ok(None) };
        match self.1 {
            Fault::LosesEmptyValues if item.value.is_empty() => return Ok(None),
            Fault::OmitsEtag => item.etag = None,
            Fault::OmitsExpiry => item.metadata.clear(),
            _ => {}
        }
        Ok(Some(item))
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.0.set(self.alter(request)).await
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
        if self.1 == Fault::FailsPings { Err(StateError::Unavailable("gone".into())) } else { Ok(()) }
    }
}

const DETECTED_BY: &[(Fault, &str)] = &[
    (Fault::CutsValuesAtNul, "text_with_nul_bytes_is_preserved"),
    (Fault::LosesEmptyValues, "empty_value_is_not_absent"),
    (Fault::FoldsKeys, "keys_are_case_sensitive"),
    (Fault::TrimsKeys, "spaces_around_key_are_significant"),
    (Fault::NeverDeletes, "deleted_key_is_absent"),
    (Fault::IgnoresEtags, "concurrent_writers_with_one_etag_have_one_winner"),
    (Fault::IgnoresEtagsOfDeletes, "delete_with_stale_etag_is_a_mismatch"),
    (Fault::OmitsEtag, "read_returns_an_etag"),
    (Fault::IgnoresFirstWrite, "concurrent_first_writers_have_one_winner"),
    (Fault::ComparesEmptyEtags, "empty_etag_counts_as_none"),
    (Fault::IgnoresTtl, "value_with_ttl_has_expiry_if_declared"),
    (Fault::IgnoresTtlErrors, "invalid_ttl_is_an_error_and_writes_nothing"),
    (Fault::OmitsExpiry, "value_with_ttl_has_expiry_if_declared"),
    (Fault::ReversesBulkReads, "bulk_read_keeps_order_and_marks_absent_keys"),
    (Fault::StopsBulkWritesAtTheFirstError, "bulk_write_fails_only_for_stale_etag"),
    (Fault::AppliesHalfOfATransaction, "stale_etag_fails_transaction_as_declared"),
    (Fault::ReversesTransactions, "transaction_applies_operations_in_order"),
    (Fault::FailsPings, "ping_of_working_store_succeeds"),
];

/// Returns behaviours with a short wait for values that never expire.
fn short_waits() -> Behaviours {
    Behaviours { expiry_timeout: Duration::from_secs(3), ..Behaviours::default() }
}

#[test]
fn each_fault_fails_its_case() {
    // Cases about expiry mostly sleep, so all faults run concurrently.
    std::thread::scope(|threads| {
        for (fault, case) in DETECTED_BY {
            threads.spawn(move || assert_detected(*fault, case));
        }
    });
}

fn assert_detected(fault: Fault, case: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let good = stores::native("state.in-memory", &[]).await;
        run("faulty", Arc::new(FaultyStore(good, fault)), short_waits()).await
    });
    let failed: Vec<_> = report.failures().map(|(name, _)| name).collect();
    assert!(failed.contains(&case), "{fault:?} went by {case}; failed: {failed:?}");
    assert!(failed.len() < report.outcomes.len() / 2, "{fault:?} failed more than it is about: {failed:?}");
}

const DETECTED_THROUGH_KEYVALUE_BY: &[(Fault, &str)] = &[
    (Fault::CutsValuesAtNul, "text_with_nul_bytes_is_preserved"),
    (Fault::LosesEmptyValues, "empty_value_is_not_absent"),
    (Fault::FoldsKeys, "keys_are_case_sensitive"),
    (Fault::TrimsKeys, "spaces_around_key_are_significant"),
    (Fault::NeverDeletes, "deleted_key_is_absent"),
    (Fault::IgnoresEtags, "concurrent_read_modify_writers_have_one_winner"),
    (Fault::OmitsEtag, "second_write_with_same_read_etag_fails"),
    (Fault::ReversesBulkReads, "bulk_read_keeps_order_and_marks_absent_keys"),
];

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_detected_through_wasi_keyvalue() {
    for (fault, case) in DETECTED_THROUGH_KEYVALUE_BY {
        let wrong = FaultyStore(stores::native("state.in-memory", &[]).await, *fault);
        let report = run("faulty", keyvalue::on(Arc::new(wrong)).await, keyvalue::behaviours()).await;
        let failed: Vec<_> = report.failures().map(|(name, _)| name).collect();
        assert!(failed.contains(case), "{fault:?} went by {case}; failed: {failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_component_fails_most_cases() {
    let report = run("faulty-store", stores::wasm("faulty-store").await, Behaviours::default()).await;
    let failed = report.failures().count();
    assert!(failed >= 40, "{failed} of {} cases failed", report.outcomes.len());
}
