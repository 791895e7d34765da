//! Components: their specification, and the registry that creates them.

mod registry;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

pub use component_values::{Properties, PropertyError};
pub use registry::{CreateError, Registry};

use crate::{BoxError, HttpMiddleware, InputBinding, OutputBinding, Secret, SecretStore, StateStore};

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
    /// True if a property has `{namespace}`, which keeps the topics of namespaces apart.
    pub names_namespace: bool,
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
    /// Client for documents that properties name by URL; `None` in programs without an HTTP client.
    pub documents: Option<Arc<dyn FetchDocument>>,
}

/// Gets documents over HTTP.
#[async_trait]
pub trait FetchDocument: fmt::Debug + Send + Sync {
    /// Fetches the body of the response to `GET url`.
    ///
    /// # Errors
    /// When the response is missing or its status is not 200.
    async fn get(&self, url: &str) -> Result<Bytes, String>;
}

impl Context {
    /// Resolves `path` against [`base_dir`](Self::base_dir).
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }

    /// Returns the client for documents.
    ///
    /// # Errors
    /// When this program has no HTTP client.
    pub fn documents(&self) -> Result<Arc<dyn FetchDocument>, InitError> {
        self.documents.clone().ok_or_else(|| InitError::misconfigured("this program has no HTTP client"))
    }
}

/// Declares [`Component`]: a row for each building block, with the constructor of a component that has only that one.
macro_rules! building_blocks {
    ($($field:ident: $block:path, $constructor:ident;)*) => {
        /// The building blocks that one component implements. A binding may be input and output at once.
        #[derive(Clone, Default)]
        pub struct Component {
            $(
                #[doc = concat!("The component as [`", stringify!($block), "`].")]
                pub $field: Option<Arc<dyn $block>>,
            )*
        }

        impl Component {
            $(
                #[doc = concat!("Creates a component that is only a [`", stringify!($block), "`].")]
                pub fn $constructor(part: impl $block + 'static) -> Self {
                    Self { $field: Some(Arc::new(part)), ..Self::default() }
                }
            )*
        }
    };
}

building_blocks! {
    state_store: StateStore, from_state_store;
    secret_store: SecretStore, from_secret_store;
    lock_store: crate::lock::LockStore, from_lock_store;
    pubsub: crate::PubSub, from_pubsub;
    configuration_store: crate::configuration::ConfigurationStore, from_configuration_store;
    output_binding: OutputBinding, from_output_binding;
    input_binding: InputBinding, from_input_binding;
    http_middleware: HttpMiddleware, from_http_middleware;
}

impl Component {
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
