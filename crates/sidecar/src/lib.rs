//! What one application sees of Dapr, whichever face it looks through.
//!
//! A [`Sidecar`] knows its application's components by name and applies everything that Dapr does between an API and a
//! component: key prefixes, secret scopes, the check that a binding has an operation. Faces (Dapr's HTTP API, WIT
//! interfaces) translate to and from it. Follows `dapr/pkg/api/universal`.

pub mod access_control;
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
mod refusal;
mod secrets;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use crate::availability::Availability;
use crate::bodies::Bodies;

pub use bindings::BindingCallError;
pub use components::{AddError, Components, Input, Loaded};
pub use encryption::EncryptionKeyError;
pub use health::Health;
pub use invoke::{Body, InvokeError, Invoker, empty_body, full_body};
pub use key_prefix::{IllegalKey, KeyPrefix};
pub use metadata::{AppConnection, RUNTIME_VERSION};
pub use method::{NotUtf8, app_path, clean, method_path};
pub use refusal::Refusal;
pub use secrets::{DefaultAccess, SecretCallError, SecretScope};
pub use state::{AppStateStore, StateCallError};

/// Dapr, for one application.
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

/// What a [`Sidecar`] is made of.
pub struct Settings {
    /// The application's id.
    pub app_id: String,
    /// How the application is reached; told to whoever asks for metadata.
    pub connection: AppConnection,
    /// Which secrets the application may read.
    pub secret_scopes: Vec<SecretScope>,
    /// The names of servers outside that can be invoked; told to whoever asks for metadata.
    pub http_endpoints: Vec<String>,
    /// The features that a Configuration enables; told to whoever asks for metadata.
    pub enabled_features: Vec<String>,
    /// The way to other applications.
    pub invoker: Arc<dyn Invoker>,
    /// The most bytes of request bodies that are held at once while they arrive.
    pub bodies: usize,
    /// Cancelled when the application asks its sidecar to end.
    pub shutdown: CancellationToken,
    /// Cancelled when it asks so without waiting for requests under way.
    pub forced_shutdown: CancellationToken,
}

impl Sidecar {
    /// A sidecar without components; [`set_components`](Self::set_components) gives it some.
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

    /// All bytes of a request body that has to be whole to be understood. They count while it arrives.
    ///
    /// # Errors
    /// When it breaks off, or the application's bodies under way take too much.
    pub async fn whole(&self, body: Body) -> Result<bytes::Bytes, Refusal> {
        self.bodies.whole(body).await
    }

    /// The application's id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Whether the sidecar and its application are ready.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The way to other applications.
    #[must_use]
    pub fn invoker(&self) -> &dyn Invoker {
        &*self.invoker
    }

    /// Ends the application and its sidecar; `is_forced` cuts off requests under way.
    pub fn shut_down(&self, is_forced: bool) {
        if is_forced {
            self.forced_shutdown.cancel();
        }
        self.shutdown.cancel();
    }

    /// Replaces the components; calls under way keep the ones they started with.
    pub fn set_components(&self, components: Components) {
        *self.components.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(components);
    }

    /// The components as they are now.
    #[must_use]
    pub fn components(&self) -> Arc<Components> {
        self.components.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
