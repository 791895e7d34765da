//! Configuration that changes while applications run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Deserialize;

use crate::backend::CallOptions;
use crate::{Dapr, Error};

/// Name of the call in errors.
pub(crate) const GET_CONFIGURATION: &str = "get configuration";

/// The part of a backend that reads configuration.
#[async_trait]
pub(crate) trait ConfigurationBackend {
    async fn get_configuration(
        &self,
        options: &CallOptions,
        store: &str,
        keys: &[&str],
    ) -> Result<BTreeMap<String, ConfigurationItem>, Error>;
}

/// An item of a configuration store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ConfigurationItem {
    /// Value.
    pub value: String,
    /// Version of the value; empty where the store has none.
    pub version: String,
    /// Metadata of the item.
    pub metadata: BTreeMap<String, String>,
}

/// A handle to one configuration store.
#[derive(Clone, Copy)]
pub struct ConfigurationStore<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

impl Dapr {
    /// Returns a handle to a configuration store.
    #[must_use]
    pub fn configuration<'a>(&'a self, store: &'a str) -> ConfigurationStore<'a> {
        ConfigurationStore { dapr: self, name: store }
    }
}

impl ConfigurationStore<'_> {
    /// Reads items by key, all of them without keys; missing ones are left out.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error.
    pub async fn get(&self, keys: &[&str]) -> Result<BTreeMap<String, ConfigurationItem>, Error> {
        self.dapr.backend.get_configuration(&self.dapr.call_options, self.name, keys).await
    }
}
