//! Several writes that take place together or not at all.

use http::Method;
use serde::Serialize;

use super::options::Behaviour;
use super::{Save, StateStore, WriteOptions};
use crate::Error;

const OPERATION: &str = "run a state transaction";

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
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Behaviour>,
}

#[derive(Serialize)]
struct Request<'a> {
    operations: &'a [Operation<'a>],
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
        let call = self.dapr.form(OPERATION, Method::POST, &self.path().segment("transaction"))?;
        self.dapr.succeed(call.json(&Request { operations })?).await.map(drop)
    }
}
