//! Maps one API request to its response.

mod access;
mod bindings;
mod call;
mod invoke;
mod metadata;
mod query;
mod secrets;
mod state;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use dapr_runtime::{ApiError, Body, Sidecar};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};

pub use access::{ApiAccess, ApiRule};
use call::Call;
use query::Query;

use crate::cors::AllowedOrigins;
use crate::limit::limited;
use crate::middleware::Pipeline;
use crate::origin;
use crate::peer::Peer;
use crate::response;
use crate::route::Route;
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
    /// True if requests pass middleware; none is served until [`DaprHttp::set_pipeline`] provides it.
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

/// Header that requests a shutdown without waiting (`dapr/pkg/api/universal/shutdown.go`).
const FORCE_SHUTDOWN: &str = "dapr-force-shutdown";

/// Dapr's HTTP API for one application.
pub struct DaprHttp {
    sidecar: Arc<Sidecar>,
    options: Options,
    pipeline: OnceLock<Pipeline>,
}

impl DaprHttp {
    /// Creates the API in front of `sidecar`.
    #[must_use]
    pub fn new(sidecar: Arc<Sidecar>, options: Options) -> Self {
        Self { sidecar, options, pipeline: OnceLock::new() }
    }

    /// Sets the middleware of the API, once its components exist.
    pub fn set_pipeline(&self, pipeline: Pipeline) {
        // The host calls this once, before the application runs.
        let _ = self.pipeline.set(pipeline);
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
        let call = Call::new(&request, self.sidecar.app_id(), self.options.logs_calls);
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
        let route = Route::parse(request.method(), request.uri().path());
        if let Some(token) = &self.options.token {
            let exempt = matches!(route, Route::Health | Route::OutboundHealth);
            if !exempt && !token.admits(request.headers()) {
                return go_error(StatusCode::UNAUTHORIZED, "invalid api token\n");
            }
            request.headers_mut().remove(token::HEADER);
        }
        let is_exempt = matches!(route, Route::Health | Route::OutboundHealth) || self.options.is_public;
        if !self.options.has_pipeline || is_exempt {
            return self.route(route, request).await;
        }
        let Some(pipeline) = self.pipeline.get() else { return response::error(ApiError::outbound_not_ready()) };
        let endpoint = async |request: Request<Body>| {
            // Middleware may have changed the path.
            let route = Route::parse(request.method(), request.uri().path());
            self.route(route, request).await
        };
        pipeline.run(request, endpoint).await
    }

    async fn route(&self, mut route: Route, request: Request<Body>) -> Response<Body> {
        if self.options.is_public && !route.is_public() {
            return go_error(StatusCode::NOT_FOUND, "404 page not found\n");
        }
        // An endpoint that is not allowed does not exist: fall through to invocation, if that is allowed.
        let is_allowed =
            |route: &Route| route.group().is_none_or(|(name, version)| self.options.access.allows(name, version));
        if !is_allowed(&route) {
            route = Route::Invoke;
        }
        if !is_allowed(&route) {
            return go_error(StatusCode::NOT_FOUND, "404 page not found\n");
        }
        self.dispatch(route, request).await.unwrap_or_else(response::error)
    }

    async fn dispatch(&self, route: Route, request: Request<Body>) -> Result<Response<Body>, ApiError> {
        let query = Query::parse(request.uri());
        match route {
            Route::GetState { store, key } => state::get(&self.sidecar, &store, key, &query).await,
            Route::DeleteState { store, key } => {
                state::delete(&self.sidecar, &store, key, &query, request.headers()).await
            }
            Route::SaveState { store } => state::save(&self.sidecar, &store, &query, request.into_body()).await,
            Route::BulkGetState { store } => state::bulk_get(&self.sidecar, &store, &query, request.into_body()).await,
            Route::Transaction { store } => state::transact(&self.sidecar, &store, &query, request.into_body()).await,
            Route::QueryState { store } => state::query(&self.sidecar, &store),
            Route::GetSecret { store, key } => secrets::get(&self.sidecar, &store, &key, &query).await,
            Route::BulkGetSecret { store } => secrets::bulk_get(&self.sidecar, &store, &query).await,
            Route::Binding { name } => bindings::invoke(&self.sidecar, &name, request).await,
            Route::GetMetadata => Ok(metadata::get(&self.sidecar)),
            Route::PutMetadata { key } => metadata::put(&self.sidecar, key, request.into_body()).await,
            Route::Health => metadata::health(&self.sidecar, &query),
            Route::OutboundHealth => metadata::outbound_health(&self.sidecar),
            Route::Shutdown => {
                let force = request.headers().get(FORCE_SHUTDOWN);
                let is_forced = force.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
                let app = self.sidecar.app_id();
                match request.extensions().get::<Peer>() {
                    Some(Peer(peer)) => tracing::warn!(app, %peer, is_forced, "shutdown requested over the Dapr API"),
                    None => tracing::warn!(app, is_forced, "shutdown requested by the application itself"),
                }
                self.sidecar.shut_down(is_forced);
                Ok(response::empty())
            }
            Route::NotImplemented(block) => Err(ApiError::new(
                StatusCode::NOT_IMPLEMENTED,
                "ERR_NOT_IMPLEMENTED",
                format_args!("daprlet does not implement {} yet", block.name),
            )),
            Route::Invoke => invoke::invoke(&self.sidecar, request).await,
        }
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
