//! The application behind a sidecar, as its sidecar calls it: `dapr/pkg/channel/http/http_channel.go`.

mod channel;
mod events;
mod health;
mod input_bindings;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dapr_building_blocks::middleware::{Body, Pipeline, empty_body, full_body};
use dapr_resources::configuration::AccessControl;
use dapr_resources::configuration::access_control::{NAMESPACE, TRUST_DOMAIN};
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::sync::{Semaphore, SetOnce};
use tokio_util::sync::CancellationToken;

pub use self::channel::AppChannel;
use self::health::AppHealth;
pub use self::health::HealthCheck;
use crate::invoke::forward;
use crate::{InvokeError, Sidecar, clean, go_errors};

/// Error for an unhealthy application (`dapr/pkg/messages/predefined.go`, `ErrAppUnhealthy`).
const UNHEALTHY: &str = "rpc error: code = Internal desc = app is not in a healthy state";

/// Settings of an application.
#[derive(Clone, Debug, Default)]
pub struct AppSettings {
    /// App port; an application without a port cannot be called.
    pub port: Option<u16>,
    /// Token that its sidecar sends to it (`APP_API_TOKEN`), if any.
    pub token: Option<HeaderValue>,
    /// Maximum concurrent requests; zero means no limit.
    pub max_concurrency: u32,
    /// Applications that may invoke this one, and their allowed operations.
    pub access_control: AccessControl,
    /// Health probes, if enabled; they require a port.
    pub health_check: Option<HealthCheck>,
    /// Longest time until a response begins; `None` for no limit.
    pub request_timeout: Option<Duration>,
}

/// An application, which its sidecar and others call.
pub struct App {
    channel: SetOnce<Arc<dyn AppChannel>>,
    /// Value of the header `host`; `None` without a port.
    host: Option<HeaderValue>,
    token: Option<HeaderValue>,
    permits: Option<Semaphore>,
    access_control: RwLock<Arc<AccessControl>>,
    /// Health, if probed.
    health: Option<AppHealth>,
    request_timeout: Option<Duration>,
    pipeline: RwLock<Option<Arc<Pipeline>>>,
}

impl App {
    /// Creates an application that has not started; see [`set_channel`](Self::set_channel).
    #[must_use]
    pub fn new(settings: AppSettings) -> Self {
        let port = settings.port;
        Self {
            channel: SetOnce::new(),
            host: port.and_then(|port| HeaderValue::try_from(format!("127.0.0.1:{port}")).ok()),
            token: settings.token,
            permits: (settings.max_concurrency > 0).then(|| Semaphore::new(settings.max_concurrency as usize)),
            access_control: RwLock::new(Arc::new(settings.access_control)),
            health: settings.health_check.filter(|_| port.is_some()).map(AppHealth::new),
            request_timeout: settings.request_timeout,
            pipeline: RwLock::default(),
        }
    }

    /// Sets the way to the application. The first call counts.
    pub fn set_channel(&self, channel: Arc<dyn AppChannel>) {
        // The host calls this once, when it starts the application.
        let _ = self.channel.set(channel);
    }

    /// Replaces the applications that may invoke this one, and their allowed operations.
    pub fn set_access_control(&self, access_control: AccessControl) {
        *self.access_control.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(access_control);
    }

    /// Sets the middleware before the application, once its components exist.
    pub(crate) fn set_pipeline(&self, pipeline: Pipeline) {
        *self.pipeline.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pipeline));
    }

    /// Waits until the application accepts requests.
    pub async fn ready(&self) {
        self.channel.wait().await.ready().await;
    }

    /// Decides whether the application `caller` may send this request.
    ///
    /// # Errors
    /// When access control denies it.
    pub fn authorize(&self, caller: &str, request: &Request<Body>) -> Result<(), InvokeError> {
        // Rules apply to the path as the application sees it, with every escape decoded.
        let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let verb = request.method().as_str();
        let access_control = self.access_control.read().unwrap_or_else(PoisonError::into_inner).clone();
        if access_control.allows(caller, &clean(&path), verb) {
            return Ok(());
        }
        let caller = match access_control.policies.as_slice() {
            [] => String::new(),
            _ => format!("spiffe://{TRUST_DOMAIN}/ns/{NAMESPACE}/{caller}"),
        };
        let operation = request.uri().path().trim_start_matches('/').to_owned();
        Err(InvokeError::Denied { caller, operation, verb: verb.to_owned() })
    }

    /// Calls the application as its own sidecar does: with its token, limits and middleware.
    ///
    /// # Errors
    /// When the application is unhealthy or gives no response.
    pub async fn call(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if self.health.as_ref().is_some_and(|health| !health.is_healthy()) {
            return Err(InvokeError::Channel(UNHEALTHY.into()));
        }
        if let Some(token) = &self.token {
            request.headers_mut().insert("dapr-api-token", token.clone());
        }
        // The semaphore is never closed, so a permit always comes.
        let _permit = match &self.permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let pipeline = self.pipeline.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(pipeline) = pipeline.filter(|pipeline| !pipeline.is_empty()) else { return self.send(request).await };
        let mut failure = None;
        let endpoint = async |request| match self.send(request).await {
            Ok(response) => response,
            Err(error) => {
                failure = Some(error);
                // This response is dropped; the error is returned.
                Response::new(empty_body())
            }
        };
        let response = pipeline.run(request, endpoint).await;
        failure.map_or(Ok(response), Err)
    }

    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        forward::declare_empty(&mut request);
        let mut response = self.send_plain(request).await?;
        forward::response(&mut response);
        Ok(response.map(forward::lenient))
    }

    /// Sends a request without anything that a sidecar adds. Responds with 504 after the timeout.
    async fn send_plain(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let Some(host) = &self.host else { return Err(InvokeError::NoApplication) };
        request.headers_mut().insert(HOST, host.clone());
        let Some(channel) = self.channel.get() else {
            let host = host.to_str().unwrap_or_default();
            let error = go_errors::dial_error(host, std::io::ErrorKind::ConnectionRefused.into());
            let url = format_args!("http://{host}{}", request.uri());
            return Err(go_errors::url_error(request.method(), url, &*error));
        };
        let Some(timeout) = self.request_timeout else { return channel.send(request).await };
        tokio::time::timeout(timeout, channel.send(request)).await.unwrap_or_else(|_| Ok(timed_out()))
    }
}

/// Starts the delivery of events, at once or, if the application is probed, while it is healthy.
pub(crate) async fn start_events(sidecar: &Arc<Sidecar>, shutdown: CancellationToken) {
    if sidecar.app().health.is_some() {
        tokio::spawn(health::watch(sidecar.clone(), shutdown));
    } else {
        events::deliver(sidecar, shutdown).await;
    }
}

/// Creates a `504`.
fn timed_out() -> Response<Body> {
    let mut response = Response::new(full_body("the application took too long\n"));
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
pub(crate) mod tests;
