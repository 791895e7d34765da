//! Reading several records at once.

use serde::de::DeserializeOwned;

use super::{Entry, StateStore};
use crate::Error;
use crate::face::{BulkFound, operation};

/// One of the records that a bulk read asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem<T> {
    /// Its key.
    pub key: String,
    /// The record; `None` where there is none, or the store's words where it could not be read.
    pub entry: Result<Option<Entry<T>>, String>,
}

impl StateStore<'_> {
    /// Reads several records. The order of the answer is the store's.
    ///
    /// # Errors
    /// When the store cannot be asked or a record is not a `T`.
    pub async fn get_all<T: DeserializeOwned>(&self, keys: &[&str]) -> Result<Vec<BulkItem<T>>, Error> {
        let found = self.dapr.face.get_all(&self.dapr.terms, self.name, keys).await?;
        found.into_iter().map(read).collect()
    }
}

fn read<T: DeserializeOwned>(found: BulkFound) -> Result<BulkItem<T>, Error> {
    let BulkFound { key, record } = found;
    let entry = match record {
        Ok(record) => Ok(record.map(|record| Entry::read(record, operation::GET_ALL)).transpose()?),
        Err(words) => Err(words),
    };
    Ok(BulkItem { key, entry })
}
