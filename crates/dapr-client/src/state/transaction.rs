//! Transactions: several writes that happen together or not at all.

use serde::Serialize;

use super::options::Behaviour;
use super::{Save, StateStore, WriteOptions};
use crate::Error;

/// One write of a transaction.
#[derive(Serialize)]
#[serde(tag = "operation", content = "request", rename_all = "lowercase")]
pub enum Operation<'a> {
    /// Saves a record.
    Upsert(Save<'a>),
    /// Deletes a record.
    Delete(Delete<'a>),
}

/// A deletion in Dapr's JSON.
#[derive(Serialize)]
pub struct Delete<'a> {
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Behaviour>,
}

impl<'a> Operation<'a> {
    /// Creates a write of a record.
    ///
    /// # Errors
    /// If the value cannot be encoded as JSON.
    pub fn upsert(key: &'a str, value: &impl Serialize, options: &WriteOptions) -> Result<Self, Error> {
        Save::new(key, value, options).map(Self::Upsert)
    }

    /// Creates a deletion of a record.
    #[must_use]
    pub fn delete(key: &'a str, options: &WriteOptions) -> Self {
        let etag = options.etag.as_ref().map(|etag| etag.as_str().to_owned());
        Self::Delete(Delete { key, etag, options: options.behaviour() })
    }
}

impl StateStore<'_> {
    /// Runs a transaction.
    ///
    /// # Errors
    /// If the store cannot be reached, has no transactions, or responds with an error. Dapr responds to every error
    /// with 500, including an etag mismatch, so that [`Error::is_conflict`] is not usable here.
    pub async fn transaction(&self, operations: &[Operation<'_>]) -> Result<(), Error> {
        self.dapr.backend.transaction(&self.dapr.call_options, self.name, operations).await
    }
}
