//! The Dapr runtime of one application, behind the HTTP and WIT APIs.
//!
//! A [`Sidecar`] knows its application and its components by name, and applies everything that Dapr does between an API
//! and them: key prefixes, secret scopes, access control, middleware, headers of invocations, delivery of events. The
//! APIs translate to and from it. It depends on how applications are run by two traits only, [`AppChannel`] and
//! [`Directory`]. Follows `dapr/pkg/api/universal`, `pkg/runtime` and `pkg/messaging`.

mod api_error;
mod app;
mod availability;
mod backoff;
mod bindings;
mod bodies;
mod calls;
mod components;
mod condition;
mod configuration;
mod external;
pub mod go_errors;
mod health;
mod invoke;
mod lock;
mod metadata;
mod pubsub;
mod replay;
mod resiliency;
mod secrets;
mod state;
mod trace_parent;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use dapr_building_blocks::middleware::Pipeline;
use dapr_resources::configuration::SecretScope;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::api_error::{ApiError, ErrorCategory, ErrorDetail};
pub use self::app::{App, AppChannel, AppSettings, HealthCheck};
pub use self::backoff::Backoff;
pub use self::bindings::BindingCallError;
pub use self::components::{
    AddError, AppResources, ComponentFactory, Components, CreatedComponents, Loaded, ResourceError,
};
pub use self::external::{AllowList, AllowRule, AllowRuleError, DocumentClient, External};
pub use self::health::Health;
pub use self::invoke::{Directory, InvokeError, NotUtf8, app_path, clean, method_path};
pub use self::metadata::{AppConnection, RUNTIME_VERSION};
pub use self::pubsub::{
    BulkPublishError, BulkSubscribe, PublishEntry, PublishError, PublishRequest, Rule, Subscription, SubscriptionKind,
};
pub use self::replay::Replay;
pub use self::secrets::SecretCallError;
pub use self::state::{AppStateStore, EncryptionKeyError, IllegalKey, KeyPrefix, StateCallError};
pub use self::trace_parent::{NO_TRACE, is_trace_parent};
pub use dapr_building_blocks::middleware::{Body, empty_body, full_body};

use crate::bodies::Bodies;
use crate::calls::Calls;
use crate::invoke::EmptyDirectory;

/// Default for the maximum total of buffered request bodies, in bytes.
const DEFAULT_BODIES: usize = 16 << 20;

/// The Dapr sidecar of one application.
pub struct Sidecar {
    settings: Settings,
    components: watch::Sender<Arc<Components>>,
    secret_scopes: RwLock<Vec<SecretScope>>,
    subscriptions: RwLock<pubsub::Subscriptions>,
    configuration_subscriptions: configuration::ConfigurationSubscriptions,
    /// Deliveries of messages, which a shutdown waits for.
    deliveries: TaskTracker,
    api_pipeline: RwLock<Option<Arc<Pipeline>>>,
    extended: RwLock<BTreeMap<String, String>>,
    bodies: Bodies,
    health: Health,
    calls: Calls,
}

/// Settings of a [`Sidecar`].
pub struct Settings {
    /// App id.
    pub app_id: String,
    /// Connection to the application, as shown by the metadata API.
    pub connection: AppConnection,
    /// The application.
    pub app: Arc<App>,
    /// Applications that it can invoke.
    pub directory: Arc<dyn Directory>,
    /// Outside servers that it can invoke.
    pub external: Arc<External>,
    /// Secrets that the application may read.
    pub secret_scopes: Vec<SecretScope>,
    /// Features that a Configuration enables, as shown by the metadata API.
    pub enabled_features: Vec<String>,
    /// Maximum total of buffered request bodies, in bytes.
    pub bodies: usize,
    /// Cancelled when the application requests a shutdown.
    pub shutdown: CancellationToken,
    /// Cancelled when it requests one without waiting for requests under way.
    pub forced_shutdown: CancellationToken,
}

impl Settings {
    /// Settings of an application without a port, that can invoke nothing.
    #[must_use]
    pub fn new(app_id: &str) -> Self {
        Self {
            app_id: app_id.to_owned(),
            connection: AppConnection::default(),
            app: Arc::new(App::new(AppSettings::default())),
            directory: Arc::new(EmptyDirectory),
            external: Arc::new(External::new(Arc::new(AllowList::default()))),
            secret_scopes: Vec::new(),
            enabled_features: Vec::new(),
            bodies: DEFAULT_BODIES,
            shutdown: CancellationToken::new(),
            forced_shutdown: CancellationToken::new(),
        }
    }
}

impl Sidecar {
    /// Creates a sidecar without components; see [`set_components`](Self::set_components).
    #[must_use]
    pub fn new(mut settings: Settings) -> Self {
        Self {
            secret_scopes: RwLock::new(std::mem::take(&mut settings.secret_scopes)),
            components: watch::Sender::default(),
            subscriptions: RwLock::default(),
            configuration_subscriptions: Default::default(),
            deliveries: TaskTracker::new(),
            api_pipeline: RwLock::default(),
            extended: RwLock::default(),
            bodies: Bodies::new(settings.bodies),
            health: Health::default(),
            calls: Calls::new(&settings.app_id, settings.shutdown.clone()),
            settings,
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
        &self.settings.app_id
    }

    /// The application.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.settings.app
    }

    /// Outside servers.
    #[must_use]
    pub fn external(&self) -> &External {
        &self.settings.external
    }

    /// Readiness of the sidecar and its application.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Shuts down the application and its sidecar; `is_forced` cuts off requests under way.
    pub fn shut_down(&self, is_forced: bool) {
        if is_forced {
            self.settings.forced_shutdown.cancel();
        }
        self.settings.shutdown.cancel();
    }

    /// Replaces the components; calls under way keep the previous ones.
    pub fn set_components(&self, components: Components) {
        self.components.send_replace(Arc::new(components));
    }

    pub(crate) fn set_api_pipeline(&self, pipeline: Pipeline) {
        *self.api_pipeline.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pipeline));
    }

    /// Middleware of the Dapr API; `None` until its components exist.
    #[must_use]
    pub fn api_pipeline(&self) -> Option<Arc<Pipeline>> {
        self.api_pipeline.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The current components.
    #[must_use]
    pub fn components(&self) -> Arc<Components> {
        self.components.borrow().clone()
    }

    /// Returns a receiver of changes of the components.
    #[must_use]
    pub fn component_changes(&self) -> watch::Receiver<Arc<Components>> {
        self.components.subscribe()
    }

    /// Waits for the application, then delivers events to it and reports it as ready, until `shutdown`.
    pub async fn serve_app(self: Arc<Self>, shutdown: CancellationToken) {
        if self.settings.connection.port != 0 {
            if shutdown.run_until_cancelled(self.app().ready()).await.is_none() {
                return;
            }
            app::start_events(&self, shutdown).await;
        }
        self.health().application_is_ready(true);
    }

    /// Waits for `shutdown`, then for the deliveries of messages under way.
    pub async fn finish_deliveries(self: Arc<Self>, shutdown: CancellationToken) {
        shutdown.cancelled().await;
        self.deliveries.close();
        self.deliveries.wait().await;
    }
}

#[cfg(test)]
mod tests;
