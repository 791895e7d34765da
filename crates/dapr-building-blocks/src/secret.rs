//! Secret stores: names to values that cannot be printed. `components-contrib/secretstores/secret_store.go`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use thiserror::Error;

pub use component_values::Secret;

use crate::{BoxError, Metadata};

/// Values of one secret by key. A store of plain values has one, under the secret's own name.
pub type SecretValues = BTreeMap<String, Secret>;

/// A read-only store of secrets.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Lists the features beyond the minimum.
    fn features(&self) -> Vec<SecretFeature> {
        Vec::new()
    }

    /// Reads the values of the secret `name`.
    async fn get(&self, name: &str, metadata: &Metadata) -> Result<SecretValues, SecretError>;

    /// Reads all secrets, by name.
    async fn bulk_get(&self, metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError>;
}

/// A capability of a secret store. `components-contrib/secretstores/feature.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFeature {
    /// One secret may hold several keys and values.
    MultipleKeyValuesPerSecret,
}

impl SecretFeature {
    /// Dapr's name of the feature.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MultipleKeyValuesPerSecret => "MULTIPLE_KEY_VALUES_PER_SECRET",
        }
    }
}

/// An error of a secret store.
#[derive(Debug, Error)]
pub enum SecretError {
    /// No secret has this name. The text is Dapr's.
    #[error("secret {name} not found")]
    NotFound {
        /// Requested name.
        name: String,
    },
    /// The store is unreachable now; the same call may succeed later.
    #[error("secret store unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store reported an error.
    #[error("{0}")]
    Other(#[source] BoxError),
}
