//! Reading several records at once.

use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Entry, Etag, StateStore};
use crate::Error;
use crate::client::read_json;

const OPERATION: &str = "get state in bulk";

/// One of the records that a bulk read asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem<T> {
    /// Its key.
    pub key: String,
    /// The record; `None` where there is none, or the store's words where it could not be read.
    pub entry: Result<Option<Entry<T>>, String>,
}

#[derive(Serialize)]
struct Request<'a> {
    keys: &'a [&'a str],
}

#[derive(Deserialize)]
struct Item {
    key: String,
    data: Option<Box<RawValue>>,
    etag: Option<String>,
    #[serde(default)]
    error: String,
}

impl StateStore<'_> {
    /// Reads several records. The order of the answer is the store's.
    ///
    /// # Errors
    /// When the store cannot be asked or a record is not a `T`.
    pub async fn get_all<T: DeserializeOwned>(&self, keys: &[&str]) -> Result<Vec<BulkItem<T>>, Error> {
        let call = self.dapr.form(OPERATION, Method::POST, &self.path().segment("bulk"))?;
        let response = self.dapr.succeed(call.json(&Request { keys })?.repeatable()).await?;
        let items: Vec<Item> = read_json(OPERATION, &response)?.unwrap_or_default();
        items.into_iter().map(Item::read).collect()
    }
}

impl Item {
    fn read<T: DeserializeOwned>(self) -> Result<BulkItem<T>, Error> {
        let Self { key, data, etag, error } = self;
        if !error.is_empty() {
            return Ok(BulkItem { key, entry: Err(error) });
        }
        let Some(data) = data else { return Ok(BulkItem { key, entry: Ok(None) }) };
        let value = serde_json::from_str(data.get());
        let value = value.map_err(|source| Error::Decode { operation: OPERATION, source })?;
        let etag = etag.filter(|etag| !etag.is_empty()).map(Etag::new);
        Ok(BulkItem { key, entry: Ok(Some(Entry { value, etag, expires: None })) })
    }
}
