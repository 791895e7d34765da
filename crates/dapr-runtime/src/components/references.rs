//! Resolves the references in resource values: secrets, environment variables and Dapr's templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::component::Context;
use dapr_building_blocks::{Metadata, Secret, SecretStore};
use dapr_resources::configuration::access_control::NAMESPACE;
use dapr_resources::value::MetadataValue;

/// Sources for the references of one resource.
pub(crate) struct References<'a> {
    pub(crate) context: &'a Context,
    pub(crate) stores: BTreeMap<String, Arc<dyn SecretStore>>,
    /// The resource's `auth.secretStore`.
    pub(crate) store: Option<&'a str>,
}

/// A resolved value.
pub(crate) enum ResolvedValue {
    /// A value written in the file.
    Plain(String),
    /// A secret, visible only to the application's sidecar.
    Secret(Secret),
}

impl ResolvedValue {
    /// Returns the value; treat it as a secret.
    pub(crate) fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

impl References<'_> {
    /// Resolves `value` to its content.
    pub(crate) async fn resolve(&self, value: &MetadataValue) -> Result<ResolvedValue, String> {
        match value {
            MetadataValue::Plain(text) => Ok(ResolvedValue::Plain(text.clone())),
            MetadataValue::EnvRef(name) => self.environment(name).map(ResolvedValue::Secret),
            MetadataValue::SecretKeyRef { name, key } => self.secret(name, key).await.map(ResolvedValue::Secret),
        }
    }

    /// Expands Dapr's templates in component metadata: `dapr/pkg/runtime/meta/meta.go`.
    ///
    /// # Errors
    /// When a value names `{podName}` and the environment has no `POD_NAME`.
    pub(crate) fn expand(&self, value: ResolvedValue) -> Result<ResolvedValue, String> {
        if !value.expose().contains('{') {
            return Ok(value);
        }
        let mut text = value.expose().to_owned();
        // Each occurrence gets its own UUID.
        while text.contains("{uuid}") {
            text = text.replacen("{uuid}", &uuid::Uuid::new_v4().to_string(), 1);
        }
        if text.contains("{podName}") {
            let pod = self.context.environment.get("POD_NAME").filter(|pod| !pod.expose().is_empty());
            text = text.replace("{podName}", pod.ok_or("it has {podName}, and POD_NAME is not set")?.expose());
        }
        let namespace = Some(self.context.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let app_id = &self.context.app_id;
        let namespace = format!("{}.{app_id}", namespace.unwrap_or(NAMESPACE));
        text = text.replace("{namespace}", &namespace).replace("{appID}", app_id);
        Ok(match value {
            ResolvedValue::Plain(_) => ResolvedValue::Plain(text),
            ResolvedValue::Secret(_) => ResolvedValue::Secret(Secret::from(text.as_str())),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, namespace: &str, pod: Option<&str>) -> Result<String, String> {
        let environment = pod.map(|pod| ("POD_NAME".to_owned(), Secret::from(pod)));
        let context = Context {
            app_id: "App".into(),
            namespace: namespace.into(),
            environment: Arc::new(environment.into_iter().collect()),
            ..Context::default()
        };
        let references = References { context: &context, stores: BTreeMap::new(), store: None };
        let plain = references.expand(ResolvedValue::Plain(text.to_owned())).map(|value| value.expose().to_owned());
        let secret =
            references.expand(ResolvedValue::Secret(Secret::from(text))).map(|value| value.expose().to_owned());
        assert!(plain == secret || text.contains("{uuid}"));
        plain
    }

    #[test]
    fn templates_are_filled_in_as_daprd_does() {
        assert_eq!(expanded("{appID}-{appID}", "", None).unwrap(), "App-App");
        assert_eq!(expanded("{namespace}-y", "", None).unwrap(), "default.App-y");
        assert_eq!(expanded("{namespace}", "prod", None).unwrap(), "prod.App");
        assert_eq!(expanded("{podName}", "", Some("pod-1")).unwrap(), "pod-1");
        assert!(expanded("{podName}", "", None).unwrap_err().contains("POD_NAME"));
        assert_eq!(expanded("{other} {", "", None).unwrap(), "{other} {");
    }

    #[test]
    fn each_uuid_is_unique() {
        let text = expanded("{uuid} {uuid}", "", None).unwrap();
        let (one, other) = text.split_once(' ').unwrap();
        assert!(one.len() == 36 && other.len() == 36 && one != other, "{text}");
    }
}
