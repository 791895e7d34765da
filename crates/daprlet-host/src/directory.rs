//! Directory of the applications of this process, and invocations between them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use async_trait::async_trait;
use dapr_api_http::ApiToken;
use dapr_api_http::middleware::Pipeline;
use dapr_runtime::access_control::{AccessControl, NAMESPACE, TRUST_DOMAIN};
use dapr_runtime::{Body, InvokeError, Invoker, NotUtf8};
use http::header::HeaderValue;
use http::{Request, Response};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::app_health::AppHealth;
use crate::channel::AppChannel;
use crate::external::External;
use crate::forward;
use crate::local_registry::LocalRegistry;

/// The only namespace of this process, as a suffix of an id.
const NAMESPACE_SUFFIX: &str = ".default";

/// Error for a method that is not UTF-8: between sidecars a method is text.
const NOT_UTF8: &str = "error sending message: rpc error: code = Internal desc = grpc: error while marshaling: string field contains invalid UTF-8";

/// Error for an unhealthy application (`dapr/pkg/messages/predefined.go`, `ErrAppUnhealthy`).
const UNHEALTHY: &str = "rpc error: code = Internal desc = app is not in a healthy state";

/// An application that others can invoke.
pub(crate) struct Callee {
    pub(crate) channel: AppChannel,
    token: Option<ApiToken>,
    permits: Option<Semaphore>,
    access: AccessControl,
    /// Health, if probed.
    pub(crate) health: Option<AppHealth>,
    pipeline: OnceLock<Pipeline>,
}

impl Callee {
    /// Creates the entry for `app`.
    pub(crate) fn new(app: &App) -> Self {
        let permits = (app.max_concurrency > 0).then(|| Semaphore::new(app.max_concurrency as usize));
        let channel = AppChannel::new(app.port).with_timeout(app.limits.request_timeout);
        Self {
            channel,
            token: app.app_token.clone(),
            permits,
            access: app.access_control.clone(),
            health: app.health_check.clone().filter(|_| app.port.is_some()).map(AppHealth::new),
            pipeline: OnceLock::new(),
        }
    }

    /// Sets the middleware before the application, once its components exist.
    pub(crate) fn set_pipeline(&self, pipeline: Pipeline) {
        // The host calls this once, before the application runs.
        let _ = self.pipeline.set(pipeline);
    }

    /// Decides whether the application `caller` may send this request.
    pub(crate) fn authorize(&self, caller: &str, request: &Request<Body>) -> Result<(), InvokeError> {
        // Rules apply to the path as the application sees it, with every escape decoded.
        let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let verb = request.method().as_str();
        if self.access.allows(caller, &dapr_runtime::clean(&path), verb) {
            return Ok(());
        }
        let caller = match self.access.policies.as_slice() {
            [] => String::new(),
            _ => format!("spiffe://{TRUST_DOMAIN}/ns/{NAMESPACE}/{caller}"),
        };
        let operation = request.uri().path().trim_start_matches('/').to_owned();
        Err(InvokeError::Denied { caller, operation, verb: verb.to_owned() })
    }

    /// Calls the application as its own sidecar does.
    pub(crate) async fn call(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if self.health.as_ref().is_some_and(|health| !health.is_healthy()) {
            return Err(InvokeError::Channel(UNHEALTHY.into()));
        }
        if let Some(token) = self.token.as_ref().and_then(|token| HeaderValue::from_str(token.expose()).ok()) {
            request.headers_mut().insert("dapr-api-token", token);
        }
        // The semaphore is never closed, so a permit always comes.
        let _permit = match &self.permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let Some(pipeline) = self.pipeline.get() else { return self.send(request).await };
        let mut failure = None;
        let endpoint = async |request| match self.send(request).await {
            Ok(response) => response,
            Err(error) => {
                failure = Some(error);
                // This response is dropped; the error is returned.
                Response::new(dapr_runtime::empty_body())
            }
        };
        let response = pipeline.run(request, endpoint).await;
        failure.map_or(Ok(response), Err)
    }

    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        forward::declare_empty(&mut request);
        let mut response = self.channel.send(request).await?;
        forward::response(&mut response);
        Ok(response.map(forward::lenient))
    }
}

/// Applications by id.
#[derive(Default)]
pub(crate) struct Directory(RwLock<BTreeMap<String, Arc<Callee>>>);

impl Directory {
    pub(crate) fn add(&self, id: String, callee: Arc<Callee>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, callee);
    }

    /// Removes an application that has ended.
    pub(crate) fn remove(&self, id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn find(&self, id: &str) -> Option<Arc<Callee>> {
        // Dapr accepts `id.namespace`; there is one namespace here.
        let applications = self.0.read().unwrap_or_else(PoisonError::into_inner);
        applications.get(id).or_else(|| applications.get(id.strip_suffix(NAMESPACE_SUFFIX)?)).cloned()
    }
}

/// Invokes on behalf of one application.
///
/// The caller's identity is fixed here; no header can override it.
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) directory: Arc<Directory>,
    /// Outside servers that the application can reach.
    pub(crate) external: Arc<External>,
    /// Registry of the applications of other processes.
    pub(crate) registry: Option<LocalRegistry>,
}

impl Caller {
    /// Calls an application that is not in this process.
    async fn call_other_process(
        &self,
        target: &str,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, InvokeError> {
        let unknown = || InvokeError::Unknown { target: target.to_owned() };
        let registry = self.registry.as_ref().ok_or_else(unknown)?;
        let target = target.strip_suffix(NAMESPACE_SUFFIX).unwrap_or(target);
        forward::request(&mut request, &self.id, target);
        let called = registry.call(target, &self.id, request).await;
        called.map_err(|_| unknown())?.map_err(|error| remote(error, true))
    }
}

/// Rewrites the error as the callee's sidecar reports it to the caller's.
fn remote(error: InvokeError, is_remote: bool) -> InvokeError {
    match error {
        InvokeError::Channel(why) if is_remote => {
            let why = format!("rpc error: code = Internal desc = error invoking app channel: {why}");
            InvokeError::Channel(why.into())
        }
        other => other,
    }
}

#[async_trait]
impl Invoker for Caller {
    async fn invoke(&self, target: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if self.external.has(target) {
            return self.external.call(target, request).await;
        }
        let Some(callee) = self.directory.find(target) else {
            return self.call_other_process(target, request).await;
        };
        // Dapr accepts `id.namespace`, and sends the callee its id alone.
        let target = target.strip_suffix(NAMESPACE_SUFFIX).unwrap_or(target);
        let is_remote = target != self.id;
        if is_remote {
            callee.authorize(&self.id, &request)?;
        }
        if is_remote && request.extensions().get::<NotUtf8>().is_some() {
            return Err(InvokeError::Channel(NOT_UTF8.into()));
        }
        forward::request(&mut request, &self.id, target);
        callee.call(request).await.map_err(|error| remote(error, is_remote))
    }
}

#[cfg(test)]
pub(crate) mod tests;
