//! Reading one record.

use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;

use super::{Consistency, Etag, StateStore};
use crate::Error;
use crate::client::read_json;

const OPERATION: &str = "get state";

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
        let mut path = self.path().segment(key);
        if let Some(consistency) = consistency {
            path = path.query("consistency", consistency.as_str());
        }
        let response = self.dapr.succeed(self.dapr.form(OPERATION, Method::GET, &path)?).await?;
        let text = |name| header(response.headers(), name);
        let value = read_json(OPERATION, &response)?;
        Ok(value.map(|value| Entry {
            value,
            etag: text("etag").map(Etag::new),
            expires: text("metadata.ttlexpiretime"),
        }))
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}
