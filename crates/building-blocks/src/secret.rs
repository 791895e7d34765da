//! Secret stores: names to values that nothing here can print. `components-contrib/secretstores/secret_store.go`.

mod value;

use std::collections::BTreeMap;

use async_trait::async_trait;
use thiserror::Error;

pub use value::Secret;

use crate::{BoxError, Metadata};

/// The values of one secret by their keys. A store of plain values answers one, under the secret's own name.
pub type SecretValues = BTreeMap<String, Secret>;

/// A store of secrets; read only.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// What this store can do beyond the minimum.
    fn features(&self) -> Vec<SecretFeature> {
        Vec::new()
    }

    /// The values of the secret `name`.
    async fn get(&self, name: &str, metadata: &Metadata) -> Result<SecretValues, SecretError>;

    /// All secrets by their names.
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

/// Why a secret store has no answer.
#[derive(Debug, Error)]
pub enum SecretError {
    /// There is no secret of this name. The text is Dapr's.
    #[error("secret {name} not found")]
    NotFound {
        /// The name asked for.
        name: String,
    },
    /// The store cannot be reached now; the same call may succeed later.
    #[error("secret store unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store answered with a failure of its own.
    #[error("{0}")]
    Other(#[source] BoxError),
}
