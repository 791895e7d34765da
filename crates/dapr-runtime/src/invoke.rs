//! Invocation of other applications and outside servers: `dapr/pkg/messaging/direct_messaging.go`.

mod deadline;
pub(crate) mod forward;
mod method;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::BoxError;
use dapr_building_blocks::middleware::{Body, full_body};
use http::{Request, Response};
use http_body::Body as _;
use tokio::time::Instant;

pub use self::method::{NotUtf8, app_path, clean, method_path};
use crate::calls::{CallTarget, Outcome};
use crate::resiliency::{Interruption, Policy, Verdict};
use crate::{ApiError, App, ErrorCategory, Sidecar};

/// The only namespace of a directory, as a suffix of an id.
const NAMESPACE_SUFFIX: &str = ".default";

/// Error for a method that is not UTF-8: between sidecars a method is text.
const NOT_UTF8: &str = "error sending message: rpc error: code = Internal desc = grpc: error while marshaling: string field contains invalid UTF-8";

/// Finds the applications that can be invoked.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Returns the application `app_id` of this process.
    fn find(&self, app_id: &str) -> Option<Arc<App>>;

    /// Sends a request of `caller` to an application of another process, whose sidecar authorizes it.
    ///
    /// # Errors
    /// [`InvokeError::Unknown`] if there is no such application; by default there is none.
    async fn call_elsewhere(
        &self,
        app_id: &str,
        _caller: &str,
        _request: Request<Body>,
    ) -> Result<Response<Body>, InvokeError> {
        Err(InvokeError::Unknown { target: app_id.to_owned() })
    }
}

/// A directory without applications.
pub(crate) struct EmptyDirectory;

#[async_trait]
impl Directory for EmptyDirectory {
    fn find(&self, _: &str) -> Option<Arc<App>> {
        None
    }
}

/// An error of an invocation.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// No application has this id. The text is that of Dapr's mDNS resolver.
    #[error("couldn't find service: {target}")]
    Unknown {
        /// Requested app id.
        target: String,
    },
    /// The callee's access control denies the request. The text is that of `dapr/pkg/acl/acl.go`.
    #[error(
        "rpc error: code = PermissionDenied desc = access control policy has denied access to id: {caller} \
         operation: {operation} verb: {verb}"
    )]
    Denied {
        /// SPIFFE id of the caller; empty where only the default action decided, as without mutual TLS.
        caller: String,
        /// Requested method, without the leading slash.
        operation: String,
        /// HTTP method.
        verb: String,
    },
    /// The sidecar of that id has no application.
    #[error("rpc error: code = Internal desc = app channel is not initialized")]
    NoApplication,
    /// The application gave no response.
    #[error("{0}")]
    Channel(#[source] BoxError),
    /// The request's body cannot be held for its retries.
    #[error("{}", .0.message)]
    Body(ApiError),
}

/// The outcome of an invocation, for its policies.
struct Invoked(Result<Response<Body>, InvokeError>);

impl Outcome for Invoked {
    fn verdict(&self) -> Verdict {
        match &self.0 {
            Ok(response) if (200..400).contains(&response.status().as_u16()) => Verdict::Success,
            Ok(response) => Verdict::Status(response.status().as_u16()),
            Err(_) => Verdict::Failure,
        }
    }

    fn interrupted(why: Interruption) -> Self {
        Self(Err(InvokeError::Channel(why.into())))
    }
}

impl InvokeError {
    /// Rewrites the error as the callee's sidecar reports it to the caller's.
    fn into_remote(self) -> Self {
        match self {
            Self::Channel(why) => {
                let why = format!("rpc error: code = Internal desc = error invoking app channel: {why}");
                Self::Channel(why.into())
            }
            other => other,
        }
    }
}

impl ApiError {
    /// A request without an app id.
    #[must_use]
    pub fn no_app_id() -> Self {
        let message = "failed getting app id either from the URL path or the header dapr-app-id";
        Self::new(ErrorCategory::NotFound, "ERR_DIRECT_INVOKE", message)
    }

    /// A failed invocation.
    #[must_use]
    pub fn invoke(target: &str, error: &InvokeError) -> Self {
        let category = match error {
            InvokeError::Body(error) => return error.clone(),
            InvokeError::Denied { .. } => ErrorCategory::PermissionDenied,
            InvokeError::Unknown { .. } | InvokeError::NoApplication | InvokeError::Channel(_) => {
                ErrorCategory::Internal
            }
        };
        Self::new(category, "ERR_DIRECT_INVOKE", format_args!("failed to invoke, id: {target}, err: {error}"))
    }
}

impl Sidecar {
    /// Sends `request`, whose URI is just path and query, to an application, an HTTPEndpoint or a URL.
    ///
    /// The caller's identity is that of this sidecar; no header can override it.
    ///
    /// # Errors
    /// See [`InvokeError`].
    pub async fn invoke(&self, target: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        // As in Dapr, an HTTPEndpoint has one circuit breaker, others have one for each method.
        let endpoint = if self.external().has_endpoint(target) { "" } else { request.uri().path() };
        let called = CallTarget::App(target);
        let policy = self.calls.policy(called, endpoint);
        let timeout = policy.timeout;
        let attempt = async |request| {
            let end = timeout.map(|timeout| Instant::now() + timeout);
            let response = self.route(target, request).await;
            Invoked(response.map(|response| response.map(|body| deadline::until(body, end))))
        };
        let Invoked(outcome) = if policy.has_retries() && request.body().size_hint().exact().is_some() {
            let (parts, body) = request.into_parts();
            let body = self.read_body(body).await.map_err(InvokeError::Body)?;
            let call = |request: Request<Bytes>| attempt(request.map(full_body));
            self.calls.run_with(&policy, called, "invoke", Request::from_parts(parts, body), call, |_, _| {}).await
        } else {
            // A body that streams is sent once.
            let policy = Policy { retry: None, ..policy };
            let call = |()| attempt(std::mem::take(&mut request));
            self.calls.run_with(&policy, called, "invoke", (), call, |(), _| {}).await
        };
        outcome
    }

    async fn route(&self, target: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if self.external().has(target) {
            return self.external().call(target, request).await;
        }
        // Dapr accepts `id.namespace`, and sends the callee its id alone.
        let id = target.strip_suffix(NAMESPACE_SUFFIX).unwrap_or(target);
        let directory = &self.settings.directory;
        let Some(app) = directory.find(target).or_else(|| directory.find(id)) else {
            forward::request(&mut request, self.app_id(), id);
            let called = directory.call_elsewhere(id, self.app_id(), request).await;
            return called.map_err(|error| match error {
                InvokeError::Unknown { .. } => InvokeError::Unknown { target: target.to_owned() },
                error => error.into_remote(),
            });
        };
        if id == self.app_id() {
            forward::request(&mut request, id, id);
            return app.call(request).await;
        }
        app.authorize(self.app_id(), &request)?;
        if request.extensions().get::<NotUtf8>().is_some() {
            return Err(InvokeError::Channel(NOT_UTF8.into()));
        }
        forward::request(&mut request, self.app_id(), id);
        app.call(request).await.map_err(InvokeError::into_remote)
    }
}
