//! Components: their specification, and the registry that creates them.

mod properties;
mod registry;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

pub use properties::{Properties, PropertyError};
pub use registry::{CreateError, Registry};

use crate::{BoxError, InputBinding, OutputBinding, Secret, SecretStore, StateStore};

/// Specification of one component, with all references to secrets and environment resolved.
///
/// As in `dapr/pkg/apis/components/v1alpha1/types.go`.
#[derive(Clone, Debug, Default)]
pub struct ComponentSpec {
    /// `metadata.name`, which applications use.
    pub name: String,
    /// `spec.type`, such as `state.sqlite`.
    pub type_: String,
    /// `spec.version`; empty means `v1`.
    pub version: String,
    /// `spec.metadata`.
    pub properties: Properties,
    /// Names of the secrets that properties came from, by property name in lower case.
    pub secret_names: BTreeMap<String, String>,
    /// Directory of the YAML, for files that belong to the component. Empty without a YAML.
    pub folder: PathBuf,
}

/// Application that a component is created for.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// App id.
    pub app_id: String,
    /// Namespace; empty if unset.
    pub namespace: String,
    /// Directory that relative paths in properties start from.
    pub base_dir: PathBuf,
    /// Environment variables, for a component that exposes them; only a binary reads the process's own.
    pub environment: Arc<BTreeMap<String, Secret>>,
}

impl Context {
    /// Resolves `path` against [`base_dir`](Self::base_dir).
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }
}

/// The building blocks that one component implements. A binding may be input and output at once.
#[derive(Clone, Default)]
pub struct Component {
    /// The state store.
    pub state_store: Option<Arc<dyn StateStore>>,
    /// The secret store.
    pub secret_store: Option<Arc<dyn SecretStore>>,
    /// The output binding.
    pub output_binding: Option<Arc<dyn OutputBinding>>,
    /// The input binding.
    pub input_binding: Option<Arc<dyn InputBinding>>,
}

impl Component {
    /// Creates a component with a state store.
    pub fn from_state_store(store: impl StateStore + 'static) -> Self {
        Self { state_store: Some(Arc::new(store)), ..Self::default() }
    }

    /// Creates a component with a secret store.
    pub fn from_secret_store(store: impl SecretStore + 'static) -> Self {
        Self { secret_store: Some(Arc::new(store)), ..Self::default() }
    }

    /// Creates a component with an output binding.
    pub fn from_output_binding(binding: impl OutputBinding + 'static) -> Self {
        Self { output_binding: Some(Arc::new(binding)), ..Self::default() }
    }

    /// Creates a component with an input binding.
    pub fn from_input_binding(binding: impl InputBinding + 'static) -> Self {
        Self { input_binding: Some(Arc::new(binding)), ..Self::default() }
    }

    /// Creates a component with a binding in both directions.
    pub fn from_binding(binding: impl InputBinding + OutputBinding + 'static) -> Self {
        let binding = Arc::new(binding);
        Self { input_binding: Some(binding.clone()), output_binding: Some(binding), ..Self::default() }
    }
}

/// An error of creating a component.
#[derive(Debug, Error)]
pub enum InitError {
    /// Permanent: the component's configuration is wrong.
    #[error("{0}")]
    Misconfigured(#[source] BoxError),
    /// Transient: something it needs is unavailable (a server that is down), and a later attempt may succeed.
    #[error("not available now: {0}")]
    Unavailable(#[source] BoxError),
}

impl InitError {
    /// Creates a permanent error: the component's configuration is wrong.
    pub fn misconfigured(error: impl Into<BoxError>) -> Self {
        Self::Misconfigured(error.into())
    }

    /// Creates a transient error: a later attempt may succeed.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }

    /// Returns whether a later attempt may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<PropertyError> for InitError {
    fn from(error: PropertyError) -> Self {
        Self::misconfigured(error)
    }
}
