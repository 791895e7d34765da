//! The components that one application may use, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use building_blocks::state::StateFeature;
use building_blocks::{Component, ComponentSpec, InputBinding, OutputBinding, SecretStore, StateStore};

use crate::encryption::{Encryption, EncryptionKeyError};
use crate::key_prefix::{IllegalKey, KeyPrefix};

/// The components of one application.
#[derive(Clone, Default)]
pub struct Components {
    pub(crate) state_stores: BTreeMap<String, ConfiguredStateStore>,
    pub(crate) secret_stores: BTreeMap<String, Arc<dyn SecretStore>>,
    pub(crate) output_bindings: BTreeMap<String, Arc<dyn OutputBinding>>,
    input_bindings: BTreeMap<String, Arc<dyn InputBinding>>,
    loaded: Vec<Loaded>,
    /// The application's namespace; empty where there is none.
    namespace: String,
}

/// A state store, and what Dapr does before values reach it.
#[derive(Clone)]
pub(crate) struct ConfiguredStateStore {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) prefix: KeyPrefix,
    pub(crate) encryption: Option<Arc<Encryption>>,
}

/// Why a component cannot be used as its properties say.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Its key prefix.
    #[error(transparent)]
    KeyPrefix(#[from] IllegalKey),
    /// Its encryption keys.
    #[error(transparent)]
    EncryptionKey(#[from] EncryptionKeyError),
}

/// A component as the metadata API tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_: String,
    /// Its version.
    pub version: String,
    /// What it can do, in Dapr's words.
    pub capabilities: Vec<String>,
}

impl Components {
    /// No components yet, for an application in `namespace`, which may be empty.
    #[must_use]
    pub fn in_namespace(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// Adds a component under the name in its specification.
    ///
    /// # Errors
    /// When its `keyPrefix` cannot be one, or its encryption keys are none.
    pub fn add(&mut self, spec: &ComponentSpec, component: &Component) -> Result<(), AddError> {
        let name = spec.name.clone();
        if let Some(store) = &component.state_store {
            let prefix = KeyPrefix::from_property(spec.properties.given("keyPrefix"), &self.namespace)?;
            let encryption = Encryption::from_spec(spec)?.map(Arc::new);
            self.state_stores.insert(name.clone(), ConfiguredStateStore { store: store.clone(), prefix, encryption });
        }
        if let Some(store) = &component.secret_store {
            self.secret_stores.insert(name.clone(), store.clone());
        }
        if let Some(binding) = &component.output_binding {
            self.output_bindings.insert(name.clone(), binding.clone());
        }
        if let Some(binding) = &component.input_binding {
            self.input_bindings.insert(name.clone(), binding.clone());
        }
        let version = if spec.version.is_empty() { "v1".to_owned() } else { spec.version.clone() };
        self.loaded.push(Loaded { name, type_: spec.type_.clone(), version, capabilities: capabilities(component) });
        Ok(())
    }

    /// What is loaded, in the order in which it was.
    #[must_use]
    pub fn loaded(&self) -> &[Loaded] {
        &self.loaded
    }

    /// The input bindings by name.
    pub fn input_bindings(&self) -> impl Iterator<Item = (&str, Arc<dyn InputBinding>)> {
        self.input_bindings.iter().map(|(name, binding)| (name.as_str(), binding.clone()))
    }
}

/// `dapr/pkg/runtime/compstore`: state and secret stores declare features, bindings their direction.
fn capabilities(component: &Component) -> Vec<String> {
    let mut capabilities = Vec::new();
    if let Some(store) = &component.state_store {
        let features = store.features();
        capabilities.extend(features.iter().map(|feature| feature.as_str().to_owned()));
        if features.contains(StateFeature::Etag) && features.contains(StateFeature::Transactional) {
            capabilities.push("ACTOR".to_owned());
        }
    }
    if let Some(store) = &component.secret_store {
        capabilities.extend(store.features().iter().map(|feature| feature.as_str().to_owned()));
    }
    if component.input_binding.is_some() {
        capabilities.push("INPUT_BINDING".to_owned());
    }
    if component.output_binding.is_some() {
        capabilities.push("OUTPUT_BINDING".to_owned());
    }
    capabilities
}
