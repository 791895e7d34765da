//! What both drafts do to a bucket.

use std::sync::Arc;

use building_blocks::state::{Concurrency, DeleteRequest, GetRequest, SetRequest, StateItem, StateOptions};
use bytes::Bytes;
use sidecar::{Sidecar, StateCallError};

/// How often a number is read again after somebody else has changed it.
const ATTEMPTS: usize = 100;

/// An etag that no record has. Redis counts from 1 up, and takes nothing but numbers.
const NOBODYS_ETAG: &str = "-1";

/// An open bucket.
#[expect(unreachable_pub, reason = "wasmtime's generated code exports it again")]
pub struct Bucket {
    sidecar: Arc<Sidecar>,
    store: String,
}

/// A record as it was when it was read.
pub(super) struct Seen {
    pub(super) value: Option<Vec<u8>>,
    etag: Option<String>,
}

/// Why a bucket has no answer.
pub(super) enum Failure {
    NoSuchStore,
    Other(String),
}

/// What came of a write that was only to happen if nobody else had been there.
pub(super) enum Swapped {
    Done,
    Lost(Seen),
}

impl Bucket {
    /// The state store that `name` means.
    pub(super) fn open(sidecar: &Arc<Sidecar>, name: String) -> Result<Self, Failure> {
        let store = match name.as_str() {
            "" | "default" => sidecar.only_state_store().ok_or(Failure::NoSuchStore)?,
            _ => name,
        };
        sidecar.state_store(&store)?;
        Ok(Self { sidecar: sidecar.clone(), store })
    }

    pub(super) fn another(&self) -> Self {
        Self { sidecar: self.sidecar.clone(), store: self.store.clone() }
    }

    pub(super) async fn see(&self, key: &str) -> Result<Seen, Failure> {
        let found = self.sidecar.state_store(&self.store)?.get(GetRequest::new(key)).await?;
        let (value, etag) = found.map_or((None, None), |StateItem { value, etag, .. }| (Some(value.into()), etag));
        Ok(Seen { value, etag })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.see(key).await?.value)
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
        let answers = self.sidecar.state_store(&self.store)?.bulk_get(requests, 0).await?;
        let pairs = keys.into_iter().zip(answers).map(|(key, answer)| match answer {
            Ok(found) => Ok(found.map(|item| (key, item.value.into()))),
            Err(error) => Err(Failure::Other(error.to_string())),
        });
        pairs.collect()
    }

    /// Writes `value` if the key is still as it was `seen`.
    pub(super) async fn swap(&self, key: &str, seen: &Seen, value: Vec<u8>) -> Result<Swapped, Failure> {
        if seen.value.is_some() {
            return self.write(key, SetRequest { etag: seen.etag.clone(), ..SetRequest::new(key, value) }).await;
        }
        // To Redis a first write is one that meets no other first write: it would go over what was written otherwise, and
        // nobody could write over it. But with an etag it still writes where there is nothing. The others refuse that, and
        // know what a first write is.
        let value = Bytes::from(value);
        let by_etag = SetRequest { etag: Some(NOBODYS_ETAG.to_owned()), ..SetRequest::new(key, value.clone()) };
        match self.write(key, by_etag).await? {
            Swapped::Lost(Seen { value: None, .. }) => {
                let options = StateOptions { concurrency: Concurrency::FirstWrite, ..StateOptions::default() };
                self.write(key, SetRequest { options, ..SetRequest::new(key, value) }).await
            }
            swapped => Ok(swapped),
        }
    }

    async fn write(&self, key: &str, request: SetRequest) -> Result<Swapped, Failure> {
        match self.sidecar.state_store(&self.store)?.save(vec![request]).await {
            Ok(()) => Ok(Swapped::Done),
            Err(StateCallError::Store(error)) if error.is_etag() => Ok(Swapped::Lost(self.see(key).await?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds to the number that `key` holds.
    pub(super) async fn increment(
        &self,
        key: &str,
        add: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, Failure> {
        let mut seen = self.see(key).await?;
        for _ in 0..ATTEMPTS {
            let text = seen.value.as_deref().unwrap_or(b"0");
            let text = std::str::from_utf8(text).map_err(|_| Failure::Other(format!("{key} holds no number")))?;
            let sum = add(text.trim()).map_err(|why| Failure::Other(format!("{key}: {why}")))?;
            match self.swap(key, &seen, sum.clone().into_bytes()).await? {
                Swapped::Done => return Ok(sum),
                Swapped::Lost(now) => seen = now,
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
