//! Reading one record.

use serde::de::DeserializeOwned;

use super::{Consistency, Etag, StateStore};
use crate::Error;
use crate::face::{Found, operation};

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// What is stored.
    pub value: T,
    /// Its version, where the store keeps versions.
    pub etag: Option<Etag>,
    /// When it expires, as an RFC 3339 time, where it does and the store tells.
    pub expires: Option<String>,
}

impl StateStore<'_> {
    /// Reads a record.
    ///
    /// # Errors
    /// When the store cannot be asked or the record is not a `T`. A record that is not there is `None`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Entry<T>>, Error> {
        self.read(key, None).await
    }

    /// Reads a record with the consistency that the caller needs.
    ///
    /// # Errors
    /// As [`StateStore::get`].
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
        let found = self.dapr.face.get(&self.dapr.terms, self.name, key, consistency).await?;
        found.map(|found| Entry::read(found, operation::GET)).transpose()
    }
}

impl<T: DeserializeOwned> Entry<T> {
    pub(super) fn read(found: Found, operation: &'static str) -> Result<Self, Error> {
        let Found { value, etag, expires } = found;
        let value = serde_json::from_slice(&value).map_err(|source| Error::Decode { operation, source })?;
        Ok(Self { value, etag, expires })
    }
}
