//! `secretstores.local.env`: environment variables as secrets. `components-contrib/secretstores/local/env/envstore.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use dapr_building_blocks::secret::{SecretError, SecretValues};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, Secret, SecretStore};

/// Creates the component from the environment in the context.
pub(crate) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let prefix = spec.properties.get("prefix").unwrap_or_default().to_owned();
    Ok(Component::from_secret_store(LocalEnv { prefix, environment: context.environment }))
}

struct LocalEnv {
    /// Prefix that is added to requested names, and removed from listed ones.
    prefix: String,
    environment: Arc<BTreeMap<String, Secret>>,
}

#[async_trait]
impl SecretStore for LocalEnv {
    /// Returns a variable as a secret.
    ///
    /// As in Dapr, a missing or forbidden variable is an empty secret and no error.
    async fn get(&self, name: &str, _metadata: &Metadata) -> Result<SecretValues, SecretError> {
        let variable = format!("{}{name}", self.prefix);
        let value = self.environment.get(&variable).filter(|_| is_allowed(&variable)).cloned();
        Ok(SecretValues::from([(name.to_owned(), value.unwrap_or_else(|| Secret::from("")))]))
    }

    async fn bulk_get(&self, _metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError> {
        let secret = |(variable, value): (&String, &Secret)| {
            let name = variable.strip_prefix(&self.prefix).filter(|name| !name.is_empty() && is_allowed(variable))?;
            Some((name.to_owned(), SecretValues::from([(name.to_owned(), value.clone())])))
        };
        Ok(self.environment.iter().filter_map(secret).collect())
    }
}

/// Returns false for Dapr's own variables, as their tokens protect application and sidecar from each other.
fn is_allowed(variable: &str) -> bool {
    let variable = variable.to_ascii_uppercase();
    variable != "APP_API_TOKEN" && !variable.starts_with("DAPR_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(prefix: &str) -> LocalEnv {
        let variables =
            [("APP_KEY", "1"), ("APP_", "2"), ("HOME", "/"), ("dapr_api_token", "t"), ("APP_API_TOKEN", "t")];
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        LocalEnv { prefix: prefix.to_owned(), environment: Arc::new(environment) }
    }

    async fn check(prefix: &str, name: &str) -> String {
        let values = store(prefix).get(name, &Metadata::new()).await.unwrap();
        assert_eq!(values.keys().collect::<Vec<_>>(), [name]);
        values[name].expose().to_owned()
    }

    #[tokio::test]
    async fn variable_is_a_secret_named_without_prefix() {
        assert_eq!(check("", "HOME").await, "/");
        assert_eq!(check("APP_", "KEY").await, "1");
    }

    #[tokio::test]
    async fn missing_or_forbidden_variable_is_an_empty_secret() {
        assert_eq!(check("", "MISSING").await, "");
        assert_eq!(check("", "dapr_api_token").await, "");
        assert_eq!(check("APP_", "API_TOKEN").await, "");
    }

    #[tokio::test]
    async fn listing_omits_forbidden_and_unprefixed_variables() {
        let names =
            async |prefix| store(prefix).bulk_get(&Metadata::new()).await.unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(names("").await, ["APP_", "APP_KEY", "HOME"]);
        assert_eq!(names("APP_").await, ["KEY"]);
    }
}
