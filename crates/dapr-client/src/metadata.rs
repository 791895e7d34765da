//! Metadata of Dapr.

use serde::Deserialize;

use crate::{Dapr, Error};

/// The fields of Dapr's metadata that services use.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// App id.
    pub id: String,
    /// Version of the runtime.
    #[serde(rename = "runtimeVersion")]
    pub runtime_version: String,
    /// Loaded components.
    pub components: Vec<ComponentInfo>,
}

/// A loaded component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ComponentInfo {
    /// Name.
    pub name: String,
    /// Type, such as `state.sqlite`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version.
    pub version: String,
    /// Capabilities, such as `ETAG`.
    pub capabilities: Vec<String>,
}

impl Dapr {
    /// Returns Dapr's metadata.
    ///
    /// # Errors
    /// If Dapr cannot be reached.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        self.backend.metadata(&self.call_options).await
    }

    /// Sets one attribute of the metadata.
    ///
    /// # Errors
    /// If Dapr cannot be reached or responds with an error.
    pub async fn set_metadata(&self, key: &str, value: &str) -> Result<(), Error> {
        self.backend.set_metadata(&self.call_options, key, value).await
    }
}
