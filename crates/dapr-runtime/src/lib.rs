//! The sidecar of one application, behind the HTTP and WIT APIs.
//!
//! A [`Sidecar`] knows its application's components by name and applies everything that Dapr does between an API and a
//! component: key prefixes, secret scopes, the check that a binding has an operation. The APIs (Dapr's HTTP API, WIT
//! interfaces) translate to and from it. Follows `dapr/pkg/api/universal`.

pub mod access_control;
mod api_error;
mod availability;
mod bindings;
mod bodies;
mod components;
mod encryption;
mod health;
mod invoke;
mod key_prefix;
mod metadata;
mod method;
mod secrets;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use crate::availability::Availability;
use crate::bodies::Bodies;

pub use api_error::ApiError;
pub use bindings::BindingCallError;
pub use components::{AddError, Components, Input, Loaded};
pub use encryption::EncryptionKeyError;
pub use health::Health;
pub use invoke::{Body, InvokeError, Invoker, empty_body, full_body};
pub use key_prefix::{IllegalKey, KeyPrefix};
pub use metadata::{AppConnection, RUNTIME_VERSION};
pub use method::{NotUtf8, app_path, clean, method_path};
pub use secrets::{DefaultAccess, SecretCallError, SecretScope};
pub use state::{AppStateStore, StateCallError};

/// The Dapr sidecar of one application.
pub struct Sidecar {
    app_id: String,
    connection: AppConnection,
    secret_scopes: Vec<SecretScope>,
    http_endpoints: Vec<String>,
    enabled_features: Vec<String>,
    components: RwLock<Arc<Components>>,
    extended: RwLock<BTreeMap<String, String>>,
    invoker: Arc<dyn Invoker>,
    bodies: Bodies,
    health: Health,
    availability: Arc<Availability>,
    shutdown: CancellationToken,
    forced_shutdown: CancellationToken,
}

/// Settings of a [`Sidecar`].
pub struct Settings {
    /// App id.
    pub app_id: String,
    /// Connection to the application, as shown by the metadata API.
    pub connection: AppConnection,
    /// Secrets that the application may read.
    pub secret_scopes: Vec<SecretScope>,
    /// Names of HTTPEndpoints, as shown by the metadata API.
    pub http_endpoints: Vec<String>,
    /// Features that a Configuration enables, as shown by the metadata API.
    pub enabled_features: Vec<String>,
    /// Sends requests to other applications.
    pub invoker: Arc<dyn Invoker>,
    /// Maximum total of buffered request bodies, in bytes.
    pub bodies: usize,
    /// Cancelled when the application requests a shutdown.
    pub shutdown: CancellationToken,
    /// Cancelled when it requests one without waiting for requests under way.
    pub forced_shutdown: CancellationToken,
}

impl Sidecar {
    /// Creates a sidecar without components; see [`set_components`](Self::set_components).
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            app_id: settings.app_id,
            connection: settings.connection,
            secret_scopes: settings.secret_scopes,
            http_endpoints: settings.http_endpoints,
            enabled_features: settings.enabled_features,
            components: RwLock::default(),
            extended: RwLock::default(),
            invoker: settings.invoker,
            bodies: Bodies::new(settings.bodies),
            health: Health::default(),
            availability: Arc::default(),
            shutdown: settings.shutdown,
            forced_shutdown: settings.forced_shutdown,
        }
    }

    /// Reads a whole request body into memory. Its bytes count while it arrives.
    ///
    /// # Errors
    /// When the body breaks off, or the application's buffered bodies exceed the limit.
    pub async fn read_body(&self, body: Body) -> Result<bytes::Bytes, ApiError> {
        self.bodies.read(body).await
    }

    /// App id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Readiness of the sidecar and its application.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Sends requests to other applications.
    #[must_use]
    pub fn invoker(&self) -> &dyn Invoker {
        &*self.invoker
    }

    /// Shuts down the application and its sidecar; `is_forced` cuts off requests under way.
    pub fn shut_down(&self, is_forced: bool) {
        if is_forced {
            self.forced_shutdown.cancel();
        }
        self.shutdown.cancel();
    }

    /// Replaces the components; calls under way keep the previous ones.
    pub fn set_components(&self, components: Components) {
        *self.components.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(components);
    }

    /// The current components.
    #[must_use]
    pub fn components(&self) -> Arc<Components> {
        self.components.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
