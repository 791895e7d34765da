//! All applications of the process, and the calls between them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use async_trait::async_trait;
use dapr_http::ApiToken;
use dapr_http::middleware::Pipeline;
use http::header::HeaderValue;
use http::{Request, Response};
use sidecar::access_control::{AccessControl, NAMESPACE, TRUST_DOMAIN};
use sidecar::{Body, InvokeError, Invoker, NotUtf8};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::channel::AppChannel;
use crate::external::External;
use crate::forward;

/// The one namespace of this process, as it may follow an id.
const NAMESPACE_SUFFIX: &str = ".default";

/// The error for a method that is no UTF-8: between sidecars a method is text.
const NOT_UTF8: &str = "error sending message: rpc error: code = Internal desc = grpc: error while marshaling: string field contains invalid UTF-8";

/// One application as others reach it.
pub(crate) struct Callee {
    pub(crate) channel: AppChannel,
    token: Option<ApiToken>,
    turns: Option<Semaphore>,
    access: AccessControl,
    pipeline: OnceLock<Pipeline>,
}

impl Callee {
    /// The application that `app` describes.
    pub(crate) fn new(app: &App) -> Self {
        let turns = (app.max_concurrency > 0).then(|| Semaphore::new(app.max_concurrency as usize));
        let channel = AppChannel::new(app.port);
        Self {
            channel,
            token: app.app_token.clone(),
            turns,
            access: app.access_control.clone(),
            pipeline: OnceLock::new(),
        }
    }

    /// The middleware before the application, once its components are there.
    pub(crate) fn set_pipeline(&self, pipeline: Pipeline) {
        // The host calls this once, before the application runs.
        let _ = self.pipeline.set(pipeline);
    }

    /// Decides whether the application `caller` may send this request.
    fn authorize(&self, caller: &str, request: &Request<Body>) -> Result<(), InvokeError> {
        // Rules are for paths as the application will understand them, with every escape decoded.
        let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let verb = request.method().as_str();
        if self.access.allows(caller, &sidecar::clean(&path), verb) {
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
        if let Some(token) = self.token.as_ref().and_then(|token| HeaderValue::from_str(token.expose()).ok()) {
            request.headers_mut().insert("dapr-api-token", token);
        }
        // The semaphore is never closed, so a turn always comes.
        let _turn = match &self.turns {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let Some(pipeline) = self.pipeline.get() else { return self.send(request).await };
        match pipeline.enter(request) {
            Ok(request) => self.send(request).await.map(|response| pipeline.leave(response)),
            Err(response) => Ok(*response),
        }
    }

    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        forward::declare_empty(&mut request);
        let mut response = self.channel.send(request).await?;
        forward::response(&mut response);
        Ok(response.map(forward::lenient))
    }
}

/// The applications by their ids.
#[derive(Default)]
pub(crate) struct Directory(RwLock<BTreeMap<String, Arc<Callee>>>);

impl Directory {
    pub(crate) fn add(&self, id: String, callee: Arc<Callee>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, callee);
    }

    fn find(&self, id: &str) -> Option<Arc<Callee>> {
        // Dapr accepts `id.namespace`; there is one namespace here.
        let applications = self.0.read().unwrap_or_else(PoisonError::into_inner);
        applications.get(id).or_else(|| applications.get(id.strip_suffix(NAMESPACE_SUFFIX)?)).cloned()
    }
}

/// Invocations by one application. Who calls is decided when this is made, not by what a request says.
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) directory: Arc<Directory>,
    /// What the application can reach outside.
    pub(crate) external: Arc<External>,
}

#[async_trait]
impl Invoker for Caller {
    async fn invoke(&self, target: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if self.external.has(target) {
            return self.external.call(target, request).await;
        }
        let callee = self.directory.find(target).ok_or_else(|| InvokeError::Unknown { target: target.to_owned() })?;
        // Dapr accepts `id.namespace`, and tells the callee its id alone.
        let target = target.strip_suffix(NAMESPACE_SUFFIX).unwrap_or(target);
        let is_remote = target != self.id;
        if is_remote {
            callee.authorize(&self.id, &request)?;
        }
        if is_remote && request.extensions().get::<NotUtf8>().is_some() {
            return Err(InvokeError::Channel(NOT_UTF8.into()));
        }
        forward::request(&mut request, &self.id, target);
        callee.call(request).await.map_err(|error| match error {
            // What the callee's sidecar would tell the caller's.
            InvokeError::Channel(why) if is_remote => {
                let why = format!("rpc error: code = Internal desc = error invoking app channel: {why}");
                InvokeError::Channel(why.into())
            }
            other => other,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
