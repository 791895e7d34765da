//! What the metadata API tells and keeps: `dapr/pkg/api/universal/metadata.go`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::Sidecar;

/// The version of Dapr whose behaviour this is; SDKs and the CLI expect one of Dapr's own.
pub const RUNTIME_VERSION: &str = "1.18.2";

/// How the application is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppConnection {
    /// Its port; zero where it has none.
    pub port: u16,
    /// `http`.
    pub protocol: String,
    /// Its address.
    pub channel_address: String,
    /// The most requests at once; zero means no limit.
    pub max_concurrency: u32,
}

impl Sidecar {
    /// How the application is reached.
    #[must_use]
    pub fn connection(&self) -> &AppConnection {
        &self.connection
    }

    /// The names of servers outside that can be invoked.
    #[must_use]
    pub fn http_endpoints(&self) -> &[String] {
        &self.http_endpoints
    }

    /// The features that a Configuration enables.
    #[must_use]
    pub fn enabled_features(&self) -> &[String] {
        &self.enabled_features
    }

    /// What clients have stored under names of their own.
    #[must_use]
    pub fn extended_metadata(&self) -> BTreeMap<String, String> {
        self.extended.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores `value` under `key` until the sidecar ends.
    pub fn set_extended_metadata(&self, key: String, value: String) {
        self.extended.write().unwrap_or_else(PoisonError::into_inner).insert(key, value);
    }
}
