//! Components of one application, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::state::StateFeature;
use dapr_building_blocks::{Component, ComponentSpec, InputBinding, OutputBinding, SecretStore, StateStore};

use crate::encryption::{Encryption, EncryptionKeyError};
use crate::key_prefix::{IllegalKey, KeyPrefix};

/// Components of one application.
#[derive(Clone, Default)]
pub struct Components {
    pub(crate) state_stores: BTreeMap<String, ConfiguredStateStore>,
    pub(crate) secret_stores: BTreeMap<String, Arc<dyn SecretStore>>,
    pub(crate) output_bindings: BTreeMap<String, Arc<dyn OutputBinding>>,
    input_bindings: BTreeMap<String, Input>,
    loaded: Vec<Loaded>,
    /// Namespace of the application; empty if unset.
    namespace: String,
}

/// An input binding with its settings for the application.
#[derive(Clone)]
pub struct Input {
    /// The binding.
    pub binding: Arc<dyn InputBinding>,
    /// Path for its events.
    pub route: String,
    /// True if the component declares itself an input; otherwise the application is asked.
    pub is_explicit: bool,
}

/// A state store, with its key prefix and encryption.
#[derive(Clone)]
pub(crate) struct ConfiguredStateStore {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) prefix: KeyPrefix,
    pub(crate) encryption: Option<Arc<Encryption>>,
}

/// An error in a component's properties.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The key prefix is invalid.
    #[error(transparent)]
    KeyPrefix(#[from] IllegalKey),
    /// An encryption key is invalid.
    #[error(transparent)]
    EncryptionKey(#[from] EncryptionKeyError),
    /// The outbox needs pub/sub, which daprlet does not have.
    #[error("outboxPublishPubsub: daprlet has no pub/sub yet, so that transactions would publish nothing")]
    Outbox,
}

/// A component as listed by the metadata API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Name of the component.
    pub name: String,
    /// Type of the component.
    pub type_: String,
    /// Version of the component.
    pub version: String,
    /// Capabilities, in Dapr's terms.
    pub capabilities: Vec<String>,
}

impl Components {
    /// Creates an empty set for an application in `namespace`, which may be empty.
    #[must_use]
    pub fn in_namespace(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// Adds a component under the name in its specification.
    ///
    /// # Errors
    /// When its `keyPrefix` or encryption keys are invalid, or it needs a feature that daprlet lacks.
    pub fn add(&mut self, spec: &ComponentSpec, component: &Component) -> Result<(), AddError> {
        let name = spec.name.clone();
        if let Some(store) = &component.state_store {
            if spec.properties.get("outboxPublishPubsub").is_some() {
                return Err(AddError::Outbox);
            }
            let prefix = KeyPrefix::from_property(spec.properties.get_raw("keyPrefix"), &self.namespace)?;
            let encryption = Encryption::from_spec(spec)?.map(Arc::new);
            self.state_stores.insert(name.clone(), ConfiguredStateStore { store: store.clone(), prefix, encryption });
        }
        if let Some(store) = &component.secret_store {
            self.secret_stores.insert(name.clone(), store.clone());
        }
        let direction = Direction::from_property(spec.properties.get_raw("direction"));
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

    /// Lists the components in the order of loading.
    #[must_use]
    pub fn loaded(&self) -> &[Loaded] {
        &self.loaded
    }

    /// Lists the input bindings by name.
    pub fn input_bindings(&self) -> impl Iterator<Item = (&str, &Input)> {
        self.input_bindings.iter().map(|(name, input)| (name.as_str(), input))
    }
}

/// Directions of a binding: `direction` in its metadata, `dapr/pkg/runtime/processor/binding/binding.go`.
#[derive(Clone, Copy)]
struct Direction {
    input: bool,
    output: bool,
    /// True if the component specifies the direction; the default is both.
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

/// Lists capabilities as in `dapr/pkg/runtime/compstore`: features of state and secret stores, and directions of
/// bindings.
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
    fn outbox_property_is_an_error() {
        struct Nothing;
        #[async_trait::async_trait]
        impl StateStore for Nothing {
            fn features(&self) -> dapr_building_blocks::state::StateFeatures {
                dapr_building_blocks::state::StateFeatures::new(&[])
            }
            async fn get(
                &self,
                _: dapr_building_blocks::state::GetRequest,
            ) -> Result<Option<dapr_building_blocks::state::StateItem>, dapr_building_blocks::StateError> {
                Ok(None)
            }
            async fn set(
                &self,
                _: dapr_building_blocks::state::SetRequest,
            ) -> Result<(), dapr_building_blocks::StateError> {
                Ok(())
            }
            async fn delete(
                &self,
                _: dapr_building_blocks::state::DeleteRequest,
            ) -> Result<(), dapr_building_blocks::StateError> {
                Ok(())
            }
        }
        let component = Component::from_state_store(Nothing);
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
    fn direction_is_input_output_or_both() {
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
