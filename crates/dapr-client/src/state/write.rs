//! Saving and deleting records.

use std::collections::BTreeMap;

use http::Method;
use http::header::{HeaderValue, IF_MATCH};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::options::Behaviour;
use super::{StateStore, WriteOptions};
use crate::Error;

const SAVE: &str = "save state";
const DELETE: &str = "delete state";

/// One record to be saved, as Dapr's JSON has it.
#[derive(Serialize)]
pub struct Save<'a> {
    key: &'a str,
    value: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Behaviour>,
    #[serde(skip)]
    unconditional: bool,
}

impl<'a> Save<'a> {
    /// Puts a record together.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
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

impl StateStore<'_> {
    /// Saves one record, whatever was there.
    ///
    /// # Errors
    /// When the store cannot be reached or refuses.
    pub async fn save(&self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.save_with(key, value, &WriteOptions::default()).await
    }

    /// Saves one record under conditions.
    ///
    /// # Errors
    /// As [`StateStore::save`]; [`Error::is_conflict`] when somebody else was first.
    pub async fn save_with(&self, key: &str, value: &impl Serialize, options: &WriteOptions) -> Result<(), Error> {
        self.save_all(&[Save::new(key, value, options)?]).await
    }

    /// Saves several records. Not atomic: [`StateStore::transaction`] is.
    ///
    /// # Errors
    /// As [`StateStore::save_with`]; some of the records may have been saved.
    pub async fn save_all(&self, records: &[Save<'_>]) -> Result<(), Error> {
        let mut call = self.dapr.form(SAVE, Method::POST, &self.path())?.json(&records)?;
        if records.iter().all(|record| record.unconditional) {
            call = call.repeatable();
        }
        self.dapr.succeed(call).await.map(drop)
    }

    /// Deletes a record; one that is not there is as good as deleted.
    ///
    /// # Errors
    /// When the store cannot be reached or refuses; [`Error::is_conflict`] when an etag was given and did not match.
    pub async fn delete(&self, key: &str, options: &WriteOptions) -> Result<(), Error> {
        let mut path = self.path().segment(key);
        if let Some(concurrency) = options.concurrency {
            path = path.query("concurrency", concurrency.as_str());
        }
        if let Some(consistency) = options.consistency {
            path = path.query("consistency", consistency.as_str());
        }
        let mut call = self.dapr.form(DELETE, Method::DELETE, &path)?;
        if let Some(etag) = &options.etag {
            let value = HeaderValue::from_str(etag.as_str());
            let value = value.map_err(|error| Error::Form { operation: DELETE, source: error.into() })?;
            call.request.headers_mut().insert(IF_MATCH, value);
            // The second time there would be nothing left for the etag to match.
            call = call.unrepeatable();
        }
        self.dapr.succeed(call).await.map(drop)
    }
}
