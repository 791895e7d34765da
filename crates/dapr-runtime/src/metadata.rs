//! Data of the metadata API: `dapr/pkg/api/universal/metadata.go`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::Sidecar;

/// Version of Dapr whose behaviour this is; SDKs and the CLI expect one of Dapr's own.
pub const RUNTIME_VERSION: &str = "1.18.2";

/// Connection to the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppConnection {
    /// Port of the application; zero without one.
    pub port: u16,
    /// Protocol: `http`.
    pub protocol: String,
    /// Address of the application.
    pub channel_address: String,
    /// Maximum concurrent requests; zero means no limit.
    pub max_concurrency: u32,
}

impl Sidecar {
    /// Connection to the application.
    #[must_use]
    pub fn connection(&self) -> &AppConnection {
        &self.settings.connection
    }

    /// Names of HTTPEndpoints that can be invoked.
    #[must_use]
    pub fn http_endpoints(&self) -> Vec<String> {
        self.external().endpoint_names()
    }

    /// Features that a Configuration enables.
    #[must_use]
    pub fn enabled_features(&self) -> &[String] {
        &self.settings.enabled_features
    }

    /// Metadata that clients have stored.
    #[must_use]
    pub fn extended_metadata(&self) -> BTreeMap<String, String> {
        self.extended.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores `value` under `key` until the sidecar ends.
    pub fn set_extended_metadata(&self, key: String, value: String) {
        self.extended.write().unwrap_or_else(PoisonError::into_inner).insert(key, value);
    }
}
