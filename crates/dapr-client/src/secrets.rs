//! Secrets.

use std::collections::BTreeMap;

use crate::{Dapr, Error, Secret};

/// One secret store.
#[derive(Clone, Copy)]
pub struct SecretStore<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

impl Dapr {
    /// The secret store of that name.
    #[must_use]
    pub fn secrets<'a>(&'a self, name: &'a str) -> SecretStore<'a> {
        SecretStore { dapr: self, name }
    }
}

impl SecretStore<'_> {
    /// The secret's only value, or else the one that has the secret's own name.
    ///
    /// # Errors
    /// When the store cannot be asked. A secret that is not there is `None`.
    pub async fn get(&self, key: &str) -> Result<Option<Secret>, Error> {
        let Some(mut values) = self.get_all(key).await? else { return Ok(None) };
        if let Some(value) = values.remove(key) {
            return Ok(Some(value));
        }
        Ok(if values.len() == 1 { values.into_values().next() } else { None })
    }

    /// All values of a secret: stores such as Kubernetes keep several under one key.
    ///
    /// # Errors
    /// When the store cannot be asked. A secret that is not there is `None`.
    pub async fn get_all(&self, key: &str) -> Result<Option<BTreeMap<String, Secret>>, Error> {
        match self.dapr.face.secret(&self.dapr.terms, self.name, key).await {
            Ok(found) => Ok(found),
            Err(error) if says_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Dapr has no status for "no such secret": the local file store answers 500 with nothing but words to tell it by.
fn says_not_found(error: &Error) -> bool {
    matches!(error, Error::Refused { code, message, .. } if code == "ERR_SECRET_GET" && message.ends_with("not found"))
}
