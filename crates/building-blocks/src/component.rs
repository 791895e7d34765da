//! Components: what a Component YAML asks for, and the registry that makes it.

mod properties;
mod registry;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

pub use properties::{Properties, PropertyError};
pub use registry::{CreateError, Registry};

use crate::{BoxError, InputBinding, OutputBinding, Secret, SecretStore, StateStore};

/// One component as its YAML describes it, with all references to secrets and environment resolved.
/// `dapr/pkg/apis/components/v1alpha1/types.go`.
#[derive(Clone, Debug, Default)]
pub struct ComponentSpec {
    /// `metadata.name`: what applications call it.
    pub name: String,
    /// `spec.type`, such as `state.sqlite`.
    pub type_: String,
    /// `spec.version`; empty means `v1`.
    pub version: String,
    /// `spec.metadata`.
    pub properties: Properties,
    /// The secrets that properties came from: the name of each by the name of its property, in small letters.
    pub secret_names: BTreeMap<String, String>,
    /// The folder of the YAML, for files that belong to the component. Empty where there is no YAML.
    pub folder: PathBuf,
}

/// What a component is told about the application that it is made for.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The application's id.
    pub app_id: String,
    /// Its namespace; empty where there are none.
    pub namespace: String,
    /// The folder that relative paths in properties start from.
    pub base_dir: PathBuf,
    /// The environment, for a component whose purpose is to show it; only a binary reads the process's own.
    pub environment: Arc<BTreeMap<String, Secret>>,
}

impl Context {
    /// `path`, taken from [`base_dir`](Self::base_dir) if it is relative.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }
}

/// The building blocks that one component offers; a binding may be input and output at once.
#[derive(Clone, Default)]
pub struct Component {
    /// A state store.
    pub state_store: Option<Arc<dyn StateStore>>,
    /// A secret store.
    pub secret_store: Option<Arc<dyn SecretStore>>,
    /// A binding that is called.
    pub output_binding: Option<Arc<dyn OutputBinding>>,
    /// A binding that calls.
    pub input_binding: Option<Arc<dyn InputBinding>>,
}

impl Component {
    /// A component that is a state store.
    pub fn of_state_store(store: impl StateStore + 'static) -> Self {
        Self { state_store: Some(Arc::new(store)), ..Self::default() }
    }

    /// A component that is a secret store.
    pub fn of_secret_store(store: impl SecretStore + 'static) -> Self {
        Self { secret_store: Some(Arc::new(store)), ..Self::default() }
    }

    /// A component that is an output binding.
    pub fn of_output_binding(binding: impl OutputBinding + 'static) -> Self {
        Self { output_binding: Some(Arc::new(binding)), ..Self::default() }
    }

    /// A component that is an input binding.
    pub fn of_input_binding(binding: impl InputBinding + 'static) -> Self {
        Self { input_binding: Some(Arc::new(binding)), ..Self::default() }
    }

    /// A component that is a binding in both directions.
    pub fn of_binding(binding: impl InputBinding + OutputBinding + 'static) -> Self {
        let binding = Arc::new(binding);
        Self { input_binding: Some(binding.clone()), output_binding: Some(binding), ..Self::default() }
    }
}

/// Why a component could not be made.
#[derive(Debug, Error)]
pub enum InitError {
    /// Its YAML is wrong: trying again changes nothing.
    #[error("{0}")]
    Misconfigured(#[source] BoxError),
    /// What it needs is not there now (a server that is down): trying again later may succeed.
    #[error("not available now: {0}")]
    Unavailable(#[source] BoxError),
}

impl InitError {
    /// An error that only the person who wrote the YAML can mend.
    pub fn misconfigured(error: impl Into<BoxError>) -> Self {
        Self::Misconfigured(error.into())
    }

    /// An error that time may mend.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }

    /// Whether trying again later may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<PropertyError> for InitError {
    fn from(error: PropertyError) -> Self {
        Self::misconfigured(error)
    }
}
