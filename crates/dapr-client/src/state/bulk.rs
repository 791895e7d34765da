//! Bulk reads.

use serde::de::DeserializeOwned;

use super::{Entry, StateStore};
use crate::Error;
use crate::backend::{BulkRecord, operation};

/// One record of a bulk read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem<T> {
    /// Key.
    pub key: String,
    /// The record; `None` if it does not exist, or the store's error message.
    pub entry: Result<Option<Entry<T>>, String>,
}

impl StateStore<'_> {
    /// Reads several records. The store determines their order.
    ///
    /// # Errors
    /// If the store cannot be reached, or a value is not a `T`.
    pub async fn get_all<T: DeserializeOwned>(&self, keys: &[&str]) -> Result<Vec<BulkItem<T>>, Error> {
        let found = self.dapr.backend.get_all(&self.dapr.call_options, self.name, keys).await?;
        found.into_iter().map(read).collect()
    }
}

fn read<T: DeserializeOwned>(found: BulkRecord) -> Result<BulkItem<T>, Error> {
    let BulkRecord { key, record } = found;
    let entry = match record {
        Ok(record) => Ok(record.map(|record| Entry::read(record, operation::GET_ALL)).transpose()?),
        Err(words) => Err(words),
    };
    Ok(BulkItem { key, entry })
}
