//! Reads secrets, within the scopes of a Configuration: `dapr/pkg/api/universal/secrets.go`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use dapr_building_blocks::secret::{SecretError, SecretValues};
use dapr_building_blocks::{Component, ComponentSpec, Metadata, SecretStore};
use dapr_resources::configuration::SecretScope;
use http::StatusCode;

use crate::calls::CallTarget;
use crate::components::{AddError, Block};
use crate::resiliency::ComponentKind;
use crate::{ApiError, ErrorCategory, Sidecar};

/// The secret stores of one application, by name.
#[derive(Clone, Default)]
pub(crate) struct SecretStores(pub(crate) BTreeMap<String, Arc<dyn SecretStore>>);

impl Block for SecretStores {
    fn add(&mut self, spec: &ComponentSpec, component: &Component, _: &str) -> Result<Vec<String>, AddError> {
        let Some(store) = &component.secret_store else { return Ok(Vec::new()) };
        self.0.insert(spec.name.clone(), store.clone());
        Ok(store.features().iter().map(|feature| feature.as_str().to_owned()).collect())
    }
}

/// An error of reading secrets.
#[derive(Debug, thiserror::Error)]
pub enum SecretCallError {
    /// The application has no secret store at all.
    #[error("secret store is not configured")]
    NotConfigured,
    /// The application has no secret store of this name.
    #[error("failed finding secret store with key {0}")]
    NotFound(String),
    /// A scope denies access.
    #[error("access denied by policy to get {name:?} from {store:?}")]
    Denied {
        /// Name of the secret.
        name: String,
        /// Name of the store.
        store: String,
    },
    /// The store failed.
    #[error("{0}")]
    Store(#[source] SecretError),
}

impl ApiError {
    /// A failed read of a secret, or of all secrets without a `key`.
    #[must_use]
    pub fn secret(store: &str, key: Option<&str>, error: &SecretCallError) -> Self {
        match error {
            SecretCallError::NotConfigured => {
                Self::new(ErrorCategory::FailedPrecondition, "ERR_SECRET_STORES_NOT_CONFIGURED", error)
            }
            SecretCallError::NotFound(_) => {
                Self::new(ErrorCategory::InvalidArgument, "ERR_SECRET_STORE_NOT_FOUND", error)
                    .with_http_status(StatusCode::UNAUTHORIZED)
            }
            SecretCallError::Denied { .. } => {
                Self::new(ErrorCategory::PermissionDenied, "ERR_PERMISSION_DENIED", error)
            }
            SecretCallError::Store(_) => match key {
                Some(key) => Self::internal(
                    "ERR_SECRET_GET",
                    format_args!("failed getting secret with key {key} from secret store {store}: {error}"),
                ),
                None => Self::internal(
                    "ERR_SECRET_GET",
                    format_args!("failed getting secrets from secret store {store}: {error}"),
                ),
            },
        }
    }
}

impl Sidecar {
    /// Replaces the secrets that the application may read.
    pub fn set_secret_scopes(&self, scopes: Vec<SecretScope>) {
        *self.secret_scopes.write().unwrap_or_else(PoisonError::into_inner) = scopes;
    }

    /// Reads one secret.
    ///
    /// # Errors
    /// See [`SecretCallError`].
    pub async fn secret(&self, store: &str, name: &str, metadata: &Metadata) -> Result<SecretValues, SecretCallError> {
        let found = self.secret_store(store)?;
        if !self.may_read(store, name) {
            return Err(SecretCallError::Denied { name: name.to_owned(), store: store.to_owned() });
        }
        let target = CallTarget::Component(ComponentKind::Secretstore, store);
        self.calls.run(target, "get", (), |()| found.get(name, metadata)).await.map_err(SecretCallError::Store)
    }

    /// Reads all secrets that the application may read.
    ///
    /// # Errors
    /// See [`SecretCallError`].
    pub async fn secrets(
        &self,
        store: &str,
        metadata: &Metadata,
    ) -> Result<BTreeMap<String, SecretValues>, SecretCallError> {
        let found = self.secret_store(store)?;
        let target = CallTarget::Component(ComponentKind::Secretstore, store);
        let read = self.calls.run(target, "bulkGet", (), |()| found.bulk_get(metadata)).await;
        let mut secrets = read.map_err(SecretCallError::Store)?;
        secrets.retain(|name, _| self.may_read(store, name));
        Ok(secrets)
    }

    fn secret_store(&self, store: &str) -> Result<Arc<dyn SecretStore>, SecretCallError> {
        let components = self.components();
        if components.secrets.0.is_empty() {
            return Err(SecretCallError::NotConfigured);
        }
        components.secrets.0.get(store).cloned().ok_or_else(|| SecretCallError::NotFound(store.to_owned()))
    }

    fn may_read(&self, store: &str, name: &str) -> bool {
        let scopes = self.secret_scopes.read().unwrap_or_else(PoisonError::into_inner);
        scopes.iter().find(|scope| scope.store == store).is_none_or(|scope| scope.allows(name))
    }
}
