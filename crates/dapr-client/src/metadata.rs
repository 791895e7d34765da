//! What Dapr says about itself.

use serde::Deserialize;

use crate::{Dapr, Error};

/// The part of Dapr's metadata that services use.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The application's id.
    pub id: String,
    /// The version of what serves the API.
    #[serde(rename = "runtimeVersion")]
    pub runtime_version: String,
    /// The components that are loaded.
    pub components: Vec<ComponentInfo>,
}

/// One component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ComponentInfo {
    /// Its name, as calls use it.
    pub name: String,
    /// Its type, such as `state.sqlite`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its version.
    pub version: String,
    /// What it can do, such as `ETAG`.
    pub capabilities: Vec<String>,
}

impl Dapr {
    /// Dapr's metadata.
    ///
    /// # Errors
    /// When Dapr cannot be reached.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        self.face.metadata(&self.terms).await
    }

    /// Sets one label of the metadata.
    ///
    /// # Errors
    /// When Dapr cannot be reached or refuses.
    pub async fn set_metadata(&self, key: &str, value: &str) -> Result<(), Error> {
        self.face.set_metadata(&self.terms, key, value).await
    }
}
