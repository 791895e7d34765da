//! State stores: keys to bytes, with etags, time to live and transactions where a store declares them.
//!
//! Follows `components-contrib/state/{store,bulk,transactional_store}.go`.

mod bulk;
mod error;
mod feature;
mod request;

use async_trait::async_trait;

pub use bulk::DEFAULT_PARALLELISM;
pub use component_values::{TTL_EXPIRE_TIME, TTL_IN_SECONDS, TimeToLive, TtlError};
pub use error::{BatchError, StateError};
pub use feature::{StateFeature, StateFeatures};
pub use request::{
    Concurrency, Consistency, DeleteRequest, GetRequest, Operation, SetRequest, StateItem, StateOptions, time_to_live,
};

use crate::Metadata;

/// A store of keys and bytes. `components-contrib/state/store.go`, `Store`.
///
/// `get`, `set` and `delete` are the minimum. The bulk methods default to those three; a store overrides them when it
/// can do better. `transact` may be called only where [`StateFeature::Transactional`] is declared.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Features beyond the minimum; constant for the life of the store.
    fn features(&self) -> StateFeatures;

    /// Reads one key; `None` when it is absent or has expired.
    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError>;

    /// Writes one key. When this returns, the write is as durable as the store promises.
    async fn set(&self, request: SetRequest) -> Result<(), StateError>;

    /// Deletes one key. Deleting what is absent succeeds, unless the request carries an etag.
    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError>;

    /// Reads many keys. Results are in the order of the requests; one failure does not fail the others.
    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        parallelism: usize,
    ) -> Vec<Result<Option<StateItem>, StateError>> {
        bulk::each(requests, parallelism, |request| self.get(request)).await
    }

    /// Writes many keys, not atomically. Results are in the order of the requests; one failure does not stop the
    /// others.
    async fn bulk_set(&self, requests: Vec<SetRequest>, parallelism: usize) -> Vec<Result<(), StateError>> {
        bulk::each(requests, parallelism, |request| self.set(request)).await
    }

    /// Writes many keys, not atomically, without reporting which of them failed.
    ///
    /// A store that can write a batch at once overrides it.
    ///
    /// # Errors
    /// When a key could not be written.
    async fn set_all(&self, requests: Vec<SetRequest>) -> Result<(), BatchError> {
        let results = self.bulk_set(requests, 0).await.into_iter().enumerate();
        let errors: Vec<_> = results.filter_map(|(index, result)| Some((index, result.err()?))).collect();
        if errors.is_empty() { Ok(()) } else { Err(BatchError::Each(errors)) }
    }

    /// Deletes many keys, not atomically. Results are in the order of the requests; one failure does not stop the
    /// others.
    async fn bulk_delete(&self, requests: Vec<DeleteRequest>, parallelism: usize) -> Vec<Result<(), StateError>> {
        bulk::each(requests, parallelism, |request| self.delete(request)).await
    }

    /// Applies all operations in their order, or none of them. (Redis, here as in Dapr, applies those that it can.)
    async fn transact(&self, _operations: Vec<Operation>, _metadata: Metadata) -> Result<(), StateError> {
        Err(StateError::Unsupported("transactions".into()))
    }

    /// Maximum operations of a transaction, if the store has such a limit. Read before each transaction.
    async fn multi_max_size(&self) -> Option<usize> {
        None
    }

    /// Checks that the store is reachable now.
    async fn ping(&self) -> Result<(), StateError> {
        Ok(())
    }
}
