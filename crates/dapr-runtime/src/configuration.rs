//! Configuration that changes while the application runs: `dapr/pkg/api/http/http.go`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::configuration::{ConfigurationRequest, ConfigurationSink, ConfigurationStore, Items};
use dapr_building_blocks::middleware::full_body;
use dapr_building_blocks::{Component, ComponentSpec};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::calls::{CallError, CallTarget, Calls};
use crate::components::{AddError, Block};
use crate::resiliency::{ComponentKind, Interruption};
use crate::{ApiError, App, ErrorCategory, Sidecar, app_path};

/// Maximum number of subscriptions of one application.
const MAX_SUBSCRIPTIONS: usize = 1000;

/// The configuration stores of one application, by name.
#[derive(Clone, Default)]
pub(crate) struct ConfigurationStores(BTreeMap<String, Arc<dyn ConfigurationStore>>);

/// Subscriptions by store and id; cancelling one ends it.
#[derive(Default)]
pub(crate) struct ConfigurationSubscriptions(Mutex<BTreeMap<(String, String), CancellationToken>>);

impl Block for ConfigurationStores {
    fn add(&mut self, spec: &ComponentSpec, component: &Component, _: &str) -> Result<Vec<String>, AddError> {
        if let Some(store) = component.configuration_store.clone() {
            self.0.insert(spec.name.clone(), store);
        }
        Ok(Vec::new())
    }
}

impl Sidecar {
    /// Reads items of the store `store`.
    ///
    /// # Errors
    /// When there is no such store, or it fails.
    pub async fn get_configuration(&self, store: &str, request: ConfigurationRequest) -> Result<Items, ApiError> {
        let (found, keys) = (self.configuration_store(store)?, shown(&request.keys));
        let target = CallTarget::Component(ComponentKind::Configuration, store);
        let items = self.calls.run(target, "getConfiguration", request, |request| found.get(request)).await;
        items.map_err(|error| {
            let message = format_args!("failed to get {keys} from Configuration store {store}: {error}");
            ApiError::internal("ERR_CONFIGURATION_GET", message)
        })
    }

    /// Reports changes of items to the application, and returns the id of this subscription.
    ///
    /// # Errors
    /// When there is no such store, it fails, or the application has no port.
    pub async fn subscribe_configuration(
        &self,
        store: &str,
        request: ConfigurationRequest,
    ) -> Result<String, ApiError> {
        let (found, keys) = (self.configuration_store(store)?, shown(&request.keys));
        if self.connection().port == 0 {
            let message = "app channel is not initialized. cannot subscribe to configuration updates";
            return Err(ApiError::internal("ERR_APP_CHANNEL_NIL", message));
        }
        let failed = |error: &dyn Display| {
            let message = format_args!("failed to subscribe {keys} from Configuration store {store}: {error}");
            ApiError::internal("ERR_CONFIGURATION_SUBSCRIBE", message)
        };
        let (id, shutdown) = (uuid::Uuid::new_v4().to_string(), self.settings.shutdown.child_token());
        {
            let mut all = self.configuration_subscriptions.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MAX_SUBSCRIPTIONS {
                return Err(failed(&format_args!("there are {MAX_SUBSCRIPTIONS} subscriptions already")));
            }
            all.insert((store.to_owned(), id.clone()), shutdown.clone());
        }
        let (app, calls) = (self.app().clone(), self.calls.clone());
        let sink: Arc<dyn ConfigurationSink> = Arc::new(Sink { app, calls, store: store.to_owned(), id: id.clone() });
        let target = CallTarget::Component(ComponentKind::Configuration, store);
        let call = |(request, sink, shutdown)| found.subscribe(request, sink, shutdown);
        match self.calls.run(target, "subscribeConfiguration", (request, sink, shutdown), call).await {
            Ok(watching) => {
                tokio::spawn(watching);
                Ok(id)
            }
            Err(error) => {
                self.remove_configuration_subscription(store, &id);
                Err(failed(&error))
            }
        }
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// When there is no such store or subscription.
    pub fn unsubscribe_configuration(&self, store: &str, id: &str) -> Result<(), ApiError> {
        self.configuration_store(store)?;
        let token = self.remove_configuration_subscription(store, id).ok_or_else(|| {
            let why = format_args!("subscription with id {id} does not exist");
            let message = format_args!("failed to unsubscribe to configuration request {id}: {why}");
            ApiError::internal("ERR_CONFIGURATION_UNSUBSCRIBE", message)
        })?;
        token.cancel();
        Ok(())
    }

    fn remove_configuration_subscription(&self, store: &str, id: &str) -> Option<CancellationToken> {
        let mut all = self.configuration_subscriptions.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(store.to_owned(), id.to_owned()))
    }

    fn configuration_store(&self, name: &str) -> Result<Arc<dyn ConfigurationStore>, ApiError> {
        let components = self.components();
        let ConfigurationStores(stores) = &components.configuration;
        if stores.is_empty() {
            let (code, message) = ("ERR_CONFIGURATION_STORE_NOT_CONFIGURED", "configuration stores not configured");
            return Err(ApiError::new(ErrorCategory::FailedPrecondition, code, message));
        }
        stores.get(name).cloned().ok_or_else(|| {
            let message = format_args!("configuration store {name} not found");
            ApiError::new(ErrorCategory::InvalidArgument, "ERR_CONFIGURATION_STORE_NOT_FOUND", message)
        })
    }
}

/// Shows keys as Go's `%s` shows a slice.
fn shown(keys: &[String]) -> String {
    format!("[{}]", keys.join(" "))
}

/// Posts changes to the application.
struct Sink {
    app: Arc<App>,
    calls: Calls,
    store: String,
    id: String,
}

#[async_trait]
impl ConfigurationSink for Sink {
    async fn changed(&self, items: Items) {
        let body = Bytes::from(go_compat::write(&json!({ "id": self.id, "items": items })) + "\n");
        for key in items.keys() {
            let Self { store, id, .. } = self;
            let target = CallTarget::FromComponent(ComponentKind::Configuration, store);
            let post = |body| self.post(key, body);
            if let Err(why) = self.calls.run(target, "changed", body.clone(), post).await {
                tracing::error!(store, key, id, why = why.0, "application did not take a change of configuration");
            }
        }
    }
}

/// Why the application did not take a change.
struct NotTaken(String);

impl CallError for NotTaken {
    fn interrupted(why: Interruption) -> Self {
        Self(why.to_string())
    }
}

impl Sink {
    async fn post(&self, key: &str, body: Bytes) -> Result<(), NotTaken> {
        let path = app_path(&format!("/configuration/{}/{key}", self.store)).map_err(NotTaken)?;
        let mut request = Request::new(full_body(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.into();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self.app.call(request).await {
            Ok(response) if response.status() == StatusCode::OK => Ok(()),
            Ok(response) => Err(NotTaken(format!("it answered {}", response.status()))),
            Err(error) => Err(NotTaken(error.to_string())),
        }
    }
}
