//! What the values in resources refer to: secrets, the environment, and Dapr's own templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use building_blocks::component::Context;
use building_blocks::{Metadata, Secret, SecretStore};
use dapr_resources::value::MetadataValue;

/// Where the references of one resource lead.
pub(crate) struct References<'a> {
    pub(crate) context: &'a Context,
    pub(crate) stores: &'a BTreeMap<String, Arc<dyn SecretStore>>,
    /// The resource's `auth.secretStore`.
    pub(crate) store: Option<&'a str>,
}

/// A value that was found.
pub(crate) enum Followed {
    /// It stands in the file.
    Plain(String),
    /// It stands where only the application's sidecar may look.
    Secret(Secret),
}

impl Followed {
    /// The value, for whoever keeps it as carefully as a secret.
    pub(crate) fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

impl References<'_> {
    /// The value that `value` is or refers to; or why there is none.
    pub(crate) async fn follow(&self, value: &MetadataValue) -> Result<Followed, String> {
        match value {
            MetadataValue::Plain(text) => Ok(Followed::Plain(self.expand(text))),
            MetadataValue::EnvRef(name) => self.environment(name).map(Followed::Secret),
            MetadataValue::SecretKeyRef { name, key } => self.secret(name, key).await.map(Followed::Secret),
        }
    }

    /// The templates that Dapr knows in values: `dapr/pkg/runtime/meta/meta.go`.
    fn expand(&self, text: &str) -> String {
        let namespaced = format!("{}.{}", self.context.namespace, self.context.app_id);
        let namespace = if self.context.namespace.is_empty() { &self.context.app_id } else { &namespaced };
        let mut text = text.replace("{appID}", &self.context.app_id).replace("{namespace}", namespace);
        if text.contains("{uuid}") {
            text = text.replace("{uuid}", &uuid::Uuid::new_v4().to_string());
        }
        text
    }

    fn environment(&self, name: &str) -> Result<Secret, String> {
        if name.starts_with("DAPR_") || name == "APP_API_TOKEN" {
            return Err(format!("envRef {name:?} is one that Dapr keeps to itself"));
        }
        let environment = &self.context.environment;
        environment.get(name).cloned().ok_or_else(|| format!("the environment has no {name:?}"))
    }

    async fn secret(&self, name: &str, key: &str) -> Result<Secret, String> {
        let store_name = self.store.unwrap_or_default();
        let store = self.stores.get(store_name).ok_or_else(|| {
            format!("its secret store {store_name:?} (auth.secretStore) is not among this application's components")
        })?;
        let values = store.get(name, &Metadata::new()).await.map_err(|error| format!("secretKeyRef: {error}"))?;
        values.get(key).cloned().ok_or_else(|| format!("secretKeyRef: the secret {name:?} has no key {key:?}"))
    }
}
