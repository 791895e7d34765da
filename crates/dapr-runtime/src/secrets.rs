//! Reads secrets, within the scopes of a Configuration: `dapr/pkg/api/universal/secrets.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::secret::{SecretError, SecretValues};
use dapr_building_blocks::{Metadata, SecretStore};

use crate::Sidecar;

/// Access of an application to one secret store: `spec.secrets.scopes[]` of a Configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretScope {
    /// Name of the store.
    pub store: String,
    /// Access to secrets in neither list.
    pub default_access: DefaultAccess,
    /// If not empty, only these may be read.
    pub allowed: Vec<String>,
    /// Secrets that may not be read.
    pub denied: Vec<String>,
}

/// Access to secrets in neither list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultAccess {
    /// Allows reading.
    #[default]
    Allow,
    /// Denies reading.
    Deny,
}

impl SecretScope {
    /// Decides as `IsSecretAllowed` of `dapr/pkg/config/configuration.go`.
    fn allows(&self, name: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|entry| entry == name);
        if !self.allowed.is_empty() {
            return listed(&self.allowed);
        }
        if !self.denied.is_empty() {
            return !listed(&self.denied);
        }
        self.default_access == DefaultAccess::Allow
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

impl Sidecar {
    /// Reads one secret.
    ///
    /// # Errors
    /// See [`SecretCallError`].
    pub async fn secret(&self, store: &str, name: &str, metadata: &Metadata) -> Result<SecretValues, SecretCallError> {
        let found = self.secret_store(store)?;
        if !self.may_read(store, name) {
            return Err(SecretCallError::Denied { name: name.to_owned(), store: store.to_owned() });
        }
        found.get(name, metadata).await.map_err(SecretCallError::Store)
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
        let mut secrets = found.bulk_get(metadata).await.map_err(SecretCallError::Store)?;
        secrets.retain(|name, _| self.may_read(store, name));
        Ok(secrets)
    }

    fn secret_store(&self, store: &str) -> Result<Arc<dyn SecretStore>, SecretCallError> {
        let components = self.components();
        if components.secret_stores.is_empty() {
            return Err(SecretCallError::NotConfigured);
        }
        components.secret_stores.get(store).cloned().ok_or_else(|| SecretCallError::NotFound(store.to_owned()))
    }

    fn may_read(&self, store: &str, name: &str) -> bool {
        self.secret_scopes.iter().find(|scope| scope.store == store).is_none_or(|scope| scope.allows(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(default_access: DefaultAccess, allowed: &[&str], denied: &[&str]) -> SecretScope {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        SecretScope { store: "s".into(), default_access, allowed: owned(allowed), denied: owned(denied) }
    }

    #[test]
    fn allow_list_overrides_deny_list_and_default() {
        let (allow, deny) = (DefaultAccess::Allow, DefaultAccess::Deny);
        assert!(scope(allow, &[], &[]).allows("a") && !scope(deny, &[], &[]).allows("a"));
        assert!(scope(deny, &["a"], &["a"]).allows("a") && !scope(allow, &["a"], &[]).allows("b"));
        assert!(!scope(allow, &[], &["a"]).allows("a") && scope(deny, &[], &["a"]).allows("b"));
    }
}
