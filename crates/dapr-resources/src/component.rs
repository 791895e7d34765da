//! Component resources: `dapr/pkg/apis/components/v1alpha1/types.go`.

use std::time::Duration;

/// One component as its YAML describes it; references are not resolved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentResource {
    /// `metadata.name`.
    pub name: String,
    /// `spec.type`.
    pub type_: String,
    /// `spec.version`; empty where it is absent.
    pub version: String,
    /// `spec.metadata`, in its order.
    pub metadata: Vec<MetadataItem>,
    /// `auth.secretStore`: where secret references lead.
    pub secret_store: Option<String>,
    /// `spec.ignoreErrors`: start without it if it cannot be made.
    pub ignore_errors: bool,
    /// `spec.initTimeout`; Dapr's default is 5 s.
    pub init_timeout: Duration,
    /// `scopes`: the applications that see it; empty means all.
    pub scopes: Vec<String>,
    /// Where it was read, as `FILE:LINE`.
    pub origin: String,
}

/// One property of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataItem {
    /// Its name.
    pub name: String,
    /// Its value, or where that is found.
    pub value: MetadataValue,
}

/// Where the value of a property is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataValue {
    /// Here. Scalars of other types are text already.
    Plain(String),
    /// In a secret store.
    SecretKeyRef {
        /// The secret.
        name: String,
        /// The key in it; Dapr's default is the secret's name.
        key: String,
    },
    /// In the environment of the sidecar.
    EnvRef(String),
}

impl ComponentResource {
    /// Whether the application `app_id` sees this component.
    #[must_use]
    pub fn is_visible_to(&self, app_id: &str) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|scope| scope == app_id)
    }
}
