//! Saving and deleting records.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::options::Behaviour;
use super::{StateStore, WriteOptions};
use crate::Error;
use crate::backend::operation::SAVE;

/// A record to save, in Dapr's JSON.
#[derive(Serialize)]
pub struct Save<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Behaviour>,
    #[serde(skip)]
    unconditional: bool,
}

impl<'a> Save<'a> {
    /// Creates a write of a record.
    ///
    /// # Errors
    /// If the value cannot be encoded as JSON.
    pub fn new(key: &'a str, value: &impl Serialize, options: &WriteOptions) -> Result<Self, Error> {
        Ok(Self {
            key,
            value: to_raw_value(value).map_err(|source| Error::Encode { operation: SAVE, source })?,
            etag: options.etag.as_ref().map(|etag| etag.as_str().to_owned()),
            metadata: options.metadata(),
            options: options.behaviour(),
            unconditional: options.is_unconditional(),
        })
    }
}

impl Save<'_> {
    /// Returns true if saving twice has the same effect as once.
    pub(crate) const fn is_unconditional(&self) -> bool {
        self.unconditional
    }
}

impl StateStore<'_> {
    /// Saves one record, replacing any existing value.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error.
    pub async fn save(&self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.save_with(key, value, &WriteOptions::default()).await
    }

    /// Saves one record under conditions.
    ///
    /// # Errors
    /// As [`StateStore::save`]; [`Error::is_conflict`] is true if the record was changed concurrently.
    pub async fn save_with(&self, key: &str, value: &impl Serialize, options: &WriteOptions) -> Result<(), Error> {
        self.save_all(&[Save::new(key, value, options)?]).await
    }

    /// Saves several records. Not atomic, unlike [`StateStore::transaction`].
    ///
    /// # Errors
    /// As [`StateStore::save_with`]; some of the records may have been saved.
    pub async fn save_all(&self, records: &[Save<'_>]) -> Result<(), Error> {
        self.dapr.backend.save(&self.dapr.call_options, self.name, records).await
    }

    /// Deletes a record. Succeeds if it does not exist.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error; [`Error::is_conflict`] is true if an etag did not
    /// match.
    pub async fn delete(&self, key: &str, options: &WriteOptions) -> Result<(), Error> {
        self.dapr.backend.delete(&self.dapr.call_options, self.name, key, options).await
    }
}
