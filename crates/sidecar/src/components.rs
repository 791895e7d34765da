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
    input_bindings: BTreeMap<String, Input>,
    loaded: Vec<Loaded>,
    /// The application's namespace; empty where there is none.
    namespace: String,
}

/// An input binding, and what its component says of the application's side.
#[derive(Clone)]
pub struct Input {
    /// The binding.
    pub binding: Arc<dyn InputBinding>,
    /// The path that its events go to.
    pub route: String,
    /// Whether the component says that it is an input; otherwise the application is asked.
    pub is_explicit: bool,
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
    /// Its transactions would have to publish.
    #[error("outboxPublishPubsub: daprlet has no pub/sub yet, so that transactions would publish nothing")]
    Outbox,
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
    /// When its `keyPrefix` cannot be one, its encryption keys are none, or it asks for what is not here.
    pub fn add(&mut self, spec: &ComponentSpec, component: &Component) -> Result<(), AddError> {
        let name = spec.name.clone();
        if let Some(store) = &component.state_store {
            if spec.properties.get("outboxPublishPubsub").is_some() {
                return Err(AddError::Outbox);
            }
            let prefix = KeyPrefix::from_property(spec.properties.given("keyPrefix"), &self.namespace)?;
            let encryption = Encryption::from_spec(spec)?.map(Arc::new);
            self.state_stores.insert(name.clone(), ConfiguredStateStore { store: store.clone(), prefix, encryption });
        }
        if let Some(store) = &component.secret_store {
            self.secret_stores.insert(name.clone(), store.clone());
        }
        let direction = Direction::from_property(spec.properties.given("direction"));
        let component = &direction.restrict(component);
        if let Some(binding) = &component.output_binding {
            self.output_bindings.insert(name.clone(), binding.clone());
        }
        if let Some(binding) = &component.input_binding {
            let route = spec.properties.get("route").unwrap_or(&name).to_owned();
            let input = Input { binding: binding.clone(), route, is_explicit: direction.is_explicit };
            self.input_bindings.insert(name.clone(), input);
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
    pub fn input_bindings(&self) -> impl Iterator<Item = (&str, &Input)> {
        self.input_bindings.iter().map(|(name, input)| (name.as_str(), input))
    }
}

/// Which ways a binding is used: `direction` in its metadata, `dapr/pkg/runtime/processor/binding/binding.go`.
#[derive(Clone, Copy)]
struct Direction {
    input: bool,
    output: bool,
    /// Whether the component says it; otherwise it is both.
    is_explicit: bool,
}

impl Direction {
    fn from_property(property: Option<&str>) -> Self {
        let Some(text) = property else { return Self { input: true, output: true, is_explicit: false } };
        let names = |direction: &str| text.split(',').any(|word| word.trim().eq_ignore_ascii_case(direction));
        Self { input: names("input"), output: names("output"), is_explicit: true }
    }

    fn restrict(self, component: &Component) -> Component {
        let mut component = component.clone();
        component.input_binding.take_if(|_| !self.input);
        component.output_binding.take_if(|_| !self.output);
        component
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outbox_is_refused_by_name() {
        struct Nothing;
        #[async_trait::async_trait]
        impl StateStore for Nothing {
            fn features(&self) -> building_blocks::state::StateFeatures {
                building_blocks::state::StateFeatures::of(&[])
            }
            async fn get(
                &self,
                _: building_blocks::state::GetRequest,
            ) -> Result<Option<building_blocks::state::StateItem>, building_blocks::StateError> {
                Ok(None)
            }
            async fn set(&self, _: building_blocks::state::SetRequest) -> Result<(), building_blocks::StateError> {
                Ok(())
            }
            async fn delete(
                &self,
                _: building_blocks::state::DeleteRequest,
            ) -> Result<(), building_blocks::StateError> {
                Ok(())
            }
        }
        let component = Component::of_state_store(Nothing);
        let spec = |properties: &[(&str, &str)]| ComponentSpec {
            name: "s".into(),
            properties: properties.iter().copied().collect(),
            ..ComponentSpec::default()
        };
        let mut components = Components::default();
        components.add(&spec(&[]), &component).unwrap();
        let error = components.add(&spec(&[("outboxPublishPubsub", "p")]), &component).unwrap_err().to_string();
        assert!(error.contains("outboxPublishPubsub"), "{error}");
    }

    #[test]
    fn direction_names_one_way_or_both() {
        let check = |text| {
            let Direction { input, output, is_explicit } = Direction::from_property(text);
            (input, output, is_explicit)
        };
        assert_eq!(check(None), (true, true, false));
        assert_eq!(check(Some("input")), (true, false, true));
        assert_eq!(check(Some("Output , INPUT")), (true, true, true));
        assert_eq!(check(Some("output")), (false, true, true));
        assert_eq!(check(Some("")), (false, false, true));
    }
}
