//! Reads of one record.

use serde::de::DeserializeOwned;

use super::{Consistency, Etag, StateStore};
use crate::Error;
use crate::backend::{StoredRecord, operation};

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// Value.
    pub value: T,
    /// Etag, if the store has etags.
    pub etag: Option<Etag>,
    /// Expiry time in RFC 3339 format, if there is one and the store reports it.
    pub expires: Option<String>,
}

impl StateStore<'_> {
    /// Reads a record. `None` if it does not exist.
    ///
    /// # Errors
    /// If the store cannot be reached, or the value is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Entry<T>>, Error> {
        self.read(key, None).await
    }

    /// Reads a record with the given consistency. `None` if it does not exist.
    ///
    /// # Errors
    /// See [`StateStore::get`].
    pub async fn get_consistent<T: DeserializeOwned>(
        &self,
        key: &str,
        consistency: Consistency,
    ) -> Result<Option<Entry<T>>, Error> {
        self.read(key, Some(consistency)).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        key: &str,
        consistency: Option<Consistency>,
    ) -> Result<Option<Entry<T>>, Error> {
        let found = self.dapr.backend.get(&self.dapr.call_options, self.name, key, consistency).await?;
        found.map(|found| Entry::read(found, operation::GET)).transpose()
    }
}

impl<T: DeserializeOwned> Entry<T> {
    pub(super) fn read(found: StoredRecord, operation: &'static str) -> Result<Self, Error> {
        let StoredRecord { value, etag, expires } = found;
        let value = serde_json::from_slice(&value).map_err(|source| Error::Decode { operation, source })?;
        Ok(Self { value, etag, expires })
    }
}
