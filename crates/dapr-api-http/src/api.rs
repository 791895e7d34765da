//! Maps one API request to its response.

pub(crate) mod bindings;
mod call;
pub(crate) mod configuration;
pub(crate) mod health;
pub(crate) mod invoke;
pub(crate) mod lock;
pub(crate) mod metadata;
pub(crate) mod pubsub;
pub(crate) mod secrets;
pub(crate) mod shutdown;
pub(crate) mod state;
pub(crate) mod unimplemented;

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use dapr_resources::configuration::ApiAccess;
use dapr_runtime::{ApiError, Body, Sidecar};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};

use self::call::LoggedCall;
use crate::cors::AllowedOrigins;
use crate::limit::limited;
use crate::origin;
use crate::response;
use crate::router::{Audience, Endpoint, Route};
use crate::token::{self, ApiToken};
use crate::trace::Trace;

/// Options of the API server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Maximum size of a request body, in bytes.
    pub max_body_size: u64,
    /// Maximum size of a request's headers, in bytes. Like Go's server, this one allows 4 KiB more.
    pub read_buffer_size: u64,
    /// API token required of callers (`dapr-api-token`), if any.
    pub token: Option<ApiToken>,
    /// Allowed CORS origins; `None` sends no CORS headers.
    pub allowed_origins: Option<AllowedOrigins>,
    /// Parts of the API that are served.
    pub access: ApiAccess,
    /// True if only the public endpoints are served: health and metadata.
    pub is_public: bool,
    /// True if requests pass middleware; none is served until the sidecar has it.
    pub has_pipeline: bool,
    /// True if every call is logged at info level (`enableApiLogging`), not only with `--log-level debug`.
    pub logs_calls: bool,
}

impl Default for Options {
    /// Dapr's defaults: 4 MiB, 4 KiB, no token, no CORS origins, all endpoints.
    fn default() -> Self {
        Self {
            max_body_size: 4 << 20,
            read_buffer_size: 4 << 10,
            token: None,
            allowed_origins: None,
            access: ApiAccess::default(),
            is_public: false,
            has_pipeline: false,
            logs_calls: false,
        }
    }
}

/// Bytes that Go's server reads beyond its limit on headers: `net/http/server.go`, `initialReadLimitSize`.
const HEADER_SLACK: u64 = 4 << 10;

/// Dapr's HTTP API for one application.
pub struct DaprHttp {
    sidecar: Arc<Sidecar>,
    options: Options,
    access: RwLock<Arc<Access>>,
}

/// Settings of the API in a Configuration.
struct Access {
    allowed: ApiAccess,
    logs_calls: bool,
}

impl DaprHttp {
    /// Creates the API in front of `sidecar`.
    #[must_use]
    pub fn new(sidecar: Arc<Sidecar>, options: Options) -> Self {
        let access = Access { allowed: options.access.clone(), logs_calls: options.logs_calls };
        Self { sidecar, options, access: RwLock::new(Arc::new(access)) }
    }

    /// Replaces the APIs that the application may call, and whether calls are logged.
    pub fn set_access(&self, allowed: ApiAccess, logs_calls: bool) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Access { allowed, logs_calls });
    }

    fn access(&self) -> Arc<Access> {
        self.access.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Responds to one request.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if head_size(&request) > self.options.read_buffer_size.saturating_add(HEADER_SLACK) {
            return reject_early(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "431 Request Header Fields Too Large");
        }
        if !is_well_escaped(path) {
            return reject_early(StatusCode::BAD_REQUEST, "400 Bad Request");
        }
        let trace = match Trace::from_request(path, request.headers()) {
            Ok(trace) => trace,
            Err(why) => return go_error(StatusCode::BAD_REQUEST, format!("{why}\n")),
        };
        let call = LoggedCall::new(&request, self.sidecar.app_id(), self.access().logs_calls);
        let mut response = self.apply_cors(request.map(|body| limited(body, self.options.max_body_size))).await;
        if let Some(call) = call {
            call.log(response.status());
        }
        if let Some(trace) = trace {
            trace.add_to(response.headers_mut());
        }
        response
    }

    /// Adds CORS headers to the response, and responds to preflight requests.
    ///
    /// The application's own headers come second, as in Dapr.
    async fn apply_cors(&self, request: Request<Body>) -> Response<Body> {
        let Some(origins) = &self.options.allowed_origins else { return self.respond(request).await };
        if let Some(preflight) = origins.preflight(&request) {
            return preflight;
        }
        let mut headers = origins.response_headers(request.method(), request.headers());
        let mut response = self.respond(request).await;
        for (name, value) in response.headers() {
            headers.append(name, value.clone());
        }
        *response.headers_mut() = headers;
        response
    }

    async fn respond(&self, mut request: Request<Body>) -> Response<Body> {
        if let Err(refusal) = origin::check(&request, self.options.allowed_origins.as_ref()) {
            return response::error(refusal);
        }
        let route = Route::find(request.method(), request.uri().path());
        let is_exempt = route.endpoint.audience == Audience::Everyone;
        if let Some(token) = &self.options.token {
            if !is_exempt && !token.admits(request.headers()) {
                return go_error(StatusCode::UNAUTHORIZED, "invalid api token\n");
            }
            request.headers_mut().remove(token::HEADER);
        }
        if is_exempt || self.options.is_public {
            return self.route(route, request).await;
        }
        let pipeline = match self.sidecar.api_pipeline() {
            Some(pipeline) if pipeline.is_empty() => return self.route(route, request).await,
            Some(pipeline) => pipeline,
            None if self.options.has_pipeline => return response::error(ApiError::outbound_not_ready()),
            None => return self.route(route, request).await,
        };
        let endpoint = async |request: Request<Body>| {
            // Middleware may have changed the path.
            let route = Route::find(request.method(), request.uri().path());
            self.route(route, request).await
        };
        pipeline.run(request, endpoint).await
    }

    async fn route(&self, mut route: Route, request: Request<Body>) -> Response<Body> {
        if self.options.is_public && route.endpoint.audience == Audience::App {
            return go_error(StatusCode::NOT_FOUND, "404 page not found\n");
        }
        // An endpoint that is not allowed does not exist: fall through to invocation, if that is allowed.
        if !self.allows(route.endpoint) {
            route = Route::invocation();
        }
        if !self.allows(route.endpoint) {
            return go_error(StatusCode::NOT_FOUND, "404 page not found\n");
        }
        route.call(&self.sidecar, request).await.unwrap_or_else(response::error)
    }

    fn allows(&self, endpoint: &Endpoint) -> bool {
        endpoint.group.is_none_or(|group| self.access().allowed.allows(group, endpoint.version.in_configuration()))
    }
}

/// Creates a response as Go's `http.Error` writes it.
fn go_error(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = response::plain(status, text);
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// Creates the response of Go's server to a request that never reaches a handler.
fn reject_early(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = response::plain(status, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Computes the size of a request without its body, as HTTP/1.1 encodes it.
fn head_size(request: &Request<Body>) -> u64 {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let line = request.method().as_str().len() + target + "  HTTP/1.1\r\n".len();
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    (line + headers.sum::<usize>()) as u64
}

/// Returns whether every percent sign starts an escape.
fn is_well_escaped(path: &str) -> bool {
    let mut pieces = path.split('%');
    pieces.next();
    pieces.all(|piece| piece.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)))
}
