//! Operations on a bucket, common to both drafts.

use std::sync::Arc;

use bytes::Bytes;
use dapr_building_blocks::state::{Concurrency, DeleteRequest, GetRequest, SetRequest, StateItem, StateOptions};
use dapr_runtime::{Sidecar, StateCallError};

/// Maximum attempts to increment a number that others change concurrently.
const MAX_INCREMENT_ATTEMPTS: usize = 100;

/// An etag that no record has. Redis counts from 1 up, and accepts only numbers.
const UNUSED_ETAG: &str = "-1";

/// An open bucket.
#[expect(unreachable_pub, reason = "wasmtime's generated code exports it again")]
pub struct Bucket {
    sidecar: Arc<Sidecar>,
    store: String,
}

/// A record as it was read.
pub(super) struct Snapshot {
    pub(super) value: Option<Vec<u8>>,
    etag: Option<String>,
}

/// An error of a bucket.
pub(super) enum Failure {
    NoSuchStore,
    Other(String),
}

/// Outcome of a conditional write.
pub(super) enum SwapOutcome {
    Done,
    Lost(Snapshot),
}

impl Bucket {
    /// Opens the state store `name`.
    pub(super) fn open(sidecar: &Arc<Sidecar>, name: String) -> Result<Self, Failure> {
        let store = match name.as_str() {
            "" | "default" => sidecar.only_state_store().ok_or(Failure::NoSuchStore)?,
            _ => name,
        };
        sidecar.state_store(&store)?;
        Ok(Self { sidecar: sidecar.clone(), store })
    }

    pub(super) fn clone_handle(&self) -> Self {
        Self { sidecar: self.sidecar.clone(), store: self.store.clone() }
    }

    pub(super) async fn read(&self, key: &str) -> Result<Snapshot, Failure> {
        let found = self.sidecar.state_store(&self.store)?.get(GetRequest::new(key)).await?;
        let (value, etag) = found.map_or((None, None), |StateItem { value, etag, .. }| (Some(value.into()), etag));
        Ok(Snapshot { value, etag })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.read(key).await?.value)
    }

    pub(super) async fn set(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        let requests = pairs.into_iter().map(|(key, value)| SetRequest::new(key, value)).collect();
        Ok(self.sidecar.state_store(&self.store)?.save(requests).await?)
    }

    pub(super) async fn delete(&self, keys: Vec<String>) -> Result<(), Failure> {
        let store = self.sidecar.state_store(&self.store)?;
        for key in keys {
            store.delete(DeleteRequest { key, ..DeleteRequest::default() }).await?;
        }
        Ok(())
    }

    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<(String, Vec<u8>)>>, Failure> {
        let requests = keys.iter().map(GetRequest::new).collect();
        let results = self.sidecar.state_store(&self.store)?.bulk_get(requests, 0).await?;
        let pairs = keys.into_iter().zip(results).map(|(key, result)| match result {
            Ok(found) => Ok(found.map(|item| (key, item.value.into()))),
            Err(error) => Err(Failure::Other(error.to_string())),
        });
        pairs.collect()
    }

    /// Writes `value` if the key is unchanged since it was `seen`.
    pub(super) async fn swap(&self, key: &str, seen: &Snapshot, value: Vec<u8>) -> Result<SwapOutcome, Failure> {
        if seen.value.is_some() {
            return self.write(key, SetRequest { etag: seen.etag.clone(), ..SetRequest::new(key, value) }).await;
        }
        // In Redis, a first write conflicts only with other first writes: it would overwrite a record written
        // otherwise, and could not be overwritten itself. But with an etag it still writes where there is no record.
        // Other stores reject that, and implement first-write correctly.
        let value = Bytes::from(value);
        let by_etag = SetRequest { etag: Some(UNUSED_ETAG.to_owned()), ..SetRequest::new(key, value.clone()) };
        match self.write(key, by_etag).await? {
            SwapOutcome::Lost(Snapshot { value: None, .. }) => {
                let options = StateOptions { concurrency: Concurrency::FirstWrite, ..StateOptions::default() };
                self.write(key, SetRequest { options, ..SetRequest::new(key, value) }).await
            }
            swapped => Ok(swapped),
        }
    }

    async fn write(&self, key: &str, request: SetRequest) -> Result<SwapOutcome, Failure> {
        match self.sidecar.state_store(&self.store)?.save(vec![request]).await {
            Ok(()) => Ok(SwapOutcome::Done),
            Err(StateCallError::Store(error)) if error.is_etag() => Ok(SwapOutcome::Lost(self.read(key).await?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds to the number stored under `key`.
    pub(super) async fn increment(
        &self,
        key: &str,
        add: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, Failure> {
        let mut seen = self.read(key).await?;
        for _ in 0..MAX_INCREMENT_ATTEMPTS {
            let text = seen.value.as_deref().unwrap_or(b"0");
            let text = std::str::from_utf8(text).map_err(|_| Failure::Other(format!("{key} holds no number")))?;
            let sum = add(text.trim()).map_err(|why| Failure::Other(format!("{key}: {why}")))?;
            match self.swap(key, &seen, sum.clone().into_bytes()).await? {
                SwapOutcome::Done => return Ok(sum),
                SwapOutcome::Lost(now) => seen = now,
            }
        }
        Err(Failure::Other(format!("{key} keeps changing")))
    }
}

impl From<StateCallError> for Failure {
    fn from(error: StateCallError) -> Self {
        match error {
            StateCallError::NotConfigured(_) | StateCallError::NotFound(_) => Self::NoSuchStore,
            other => Self::Other(other.to_string()),
        }
    }
}
