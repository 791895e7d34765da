//! Several writes that take place together or not at all.

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

/// One record to be deleted, as Dapr's JSON has it.
#[derive(Serialize)]
pub struct Delete<'a> {
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Behaviour>,
}

impl<'a> Operation<'a> {
    /// Saves a record.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn upsert(key: &'a str, value: &impl Serialize, options: &WriteOptions) -> Result<Self, Error> {
        Save::new(key, value, options).map(Self::Upsert)
    }

    /// Deletes a record.
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
    /// When the store cannot be reached, has no transactions or refuses. Dapr answers every refusal with 500, an etag
    /// that did not match included, so that [`Error::is_conflict`] says nothing here.
    pub async fn transaction(&self, operations: &[Operation<'_>]) -> Result<(), Error> {
        self.dapr.face.transaction(&self.dapr.terms, self.name, operations).await
    }
}
