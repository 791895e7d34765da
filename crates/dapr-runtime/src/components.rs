//! Components of one application, by name.

mod factory;
mod references;

use dapr_building_blocks::{Component, ComponentSpec};
use dapr_resources::configuration::access_control::NAMESPACE;

pub use self::factory::{AppResources, ComponentFactory, CreatedComponents, ResourceError};
pub(crate) use self::references::References;
use crate::bindings::Bindings;
use crate::secrets::SecretStores;
use crate::state::{EncryptionKeyError, IllegalKey, StateStores};

/// The components of one building block.
pub(crate) trait Block {
    /// Adds the component's part, if it has one, and returns its capabilities in Dapr's terms.
    ///
    /// `namespace` is that of the application; empty if unset.
    fn add(&mut self, spec: &ComponentSpec, component: &Component, namespace: &str) -> Result<Vec<String>, AddError>;
}

/// Declares [`Components`]: a row for each building block, in the order of capabilities.
macro_rules! building_blocks {
    ($($name:ident: $block:ty,)*) => {
        /// Components of one application.
        #[derive(Clone, Default)]
        pub struct Components {
            $(pub(crate) $name: $block,)*
            loaded: Vec<Loaded>,
            /// Namespace of the application; empty if unset.
            namespace: String,
        }

        impl Components {
            fn add_to_blocks(&mut self, spec: &ComponentSpec, component: &Component) -> Result<Vec<String>, AddError> {
                let mut capabilities = Vec::new();
                $(capabilities.extend(self.$name.add(spec, component, &self.namespace)?);)*
                Ok(capabilities)
            }
        }
    };
}

building_blocks! {
    state: StateStores,
    secrets: SecretStores,
    bindings: Bindings,
    lock: crate::lock::LockStores,
    pubsub: crate::pubsub::PubSubs,
    configuration: crate::configuration::ConfigurationStores,
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
    /// The outbox lacks a property.
    #[error("outboxPublishPubsub: {0}")]
    Outbox(String),
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
        let capabilities = self.add_to_blocks(spec, component)?;
        let version = if spec.version.is_empty() { "v1" } else { &spec.version }.to_owned();
        self.loaded.push(Loaded { name: spec.name.clone(), type_: spec.type_.clone(), version, capabilities });
        Ok(())
    }

    /// Namespace of the application; Dapr's default if unset.
    pub(crate) fn namespace(&self) -> &str {
        if self.namespace.is_empty() { NAMESPACE } else { &self.namespace }
    }

    /// Lists the components in the order of loading.
    #[must_use]
    pub fn loaded(&self) -> &[Loaded] {
        &self.loaded
    }
}

#[cfg(test)]
mod tests {
    use dapr_building_blocks::StateStore;

    use super::*;

    #[test]
    fn outbox_without_its_topic_is_an_error() {
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
        assert_eq!(error, "outboxPublishPubsub: outboxPublishTopic is missing");
    }
}
