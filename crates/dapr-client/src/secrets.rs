//! Secret stores.

use std::collections::BTreeMap;

use crate::{Dapr, Error, Secret};

/// A handle to one secret store.
#[derive(Clone, Copy)]
pub struct SecretStore<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

impl Dapr {
    /// Returns a handle to a secret store.
    #[must_use]
    pub fn secrets<'a>(&'a self, name: &'a str) -> SecretStore<'a> {
        SecretStore { dapr: self, name }
    }
}

impl SecretStore<'_> {
    /// Reads a secret: its only value, or else the value with the secret's own name. `None` if it does not exist.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error.
    pub async fn get(&self, key: &str) -> Result<Option<Secret>, Error> {
        let Some(mut values) = self.get_all(key).await? else { return Ok(None) };
        if let Some(value) = values.remove(key) {
            return Ok(Some(value));
        }
        Ok(if values.len() == 1 { values.into_values().next() } else { None })
    }

    /// Reads all values of a secret: stores such as Kubernetes keep several under one key. `None` if it does not exist.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error.
    pub async fn get_all(&self, key: &str) -> Result<Option<BTreeMap<String, Secret>>, Error> {
        match self.dapr.backend.secret(&self.dapr.call_options, self.name, key).await {
            Ok(found) => Ok(found),
            Err(error) if says_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Recognises a missing secret. Dapr has no status for it: the local file store responds with 500 and a message.
fn says_not_found(error: &Error) -> bool {
    matches!(error, Error::Refused { code, message, .. } if code == "ERR_SECRET_GET" && message.ends_with("not found"))
}
