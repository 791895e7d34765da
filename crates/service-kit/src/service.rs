//! A service with the parts that all services share: health, CORS, body limit and access log.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::json;

use crate::access_log::{AccessLine, Unlogged};
use crate::body::{self, BodySource};
use crate::routing::{self, Target};
use crate::{App, Call, Clock, EdgeSettings, Log, Problem, Response, StderrLog, SystemClock, cors};

/// An app with the shared parts, still without an HTTP server.
pub struct Service<A> {
    app: A,
    /// Body of the response to `GET /`.
    description: Bytes,
    settings: EdgeSettings,
    clock: Arc<dyn Clock>,
    log: Arc<dyn Log>,
}

impl<A: App> Service<A> {
    /// Wraps an app.
    pub fn new(app: A, settings: EdgeSettings) -> Self {
        let description = describe::<A>().into();
        Self { app, description, settings, clock: Arc::new(SystemClock), log: Arc::new(StderrLog) }
    }

    /// Sends log lines to `log` instead of stderr.
    #[must_use]
    pub fn with_log(self, log: Arc<dyn Log>) -> Self {
        Self { log, ..self }
    }

    /// Returns the HTTP settings.
    #[must_use]
    pub fn settings(&self) -> &EdgeSettings {
        &self.settings
    }

    /// Returns the destination of log lines.
    #[must_use]
    pub fn log(&self) -> &dyn Log {
        self.log.as_ref()
    }

    /// Handles one request. The body is read only as far as needed.
    pub async fn handle(&self, head: Parts, body: impl BodySource, peer: IpAddr) -> Response {
        let began = self.clock.now();
        let user = self.settings.trusted_proxies.user(peer, &head.headers);
        let (method, uri, origin) = (head.method.clone(), head.uri.clone(), head.headers.get(ORIGIN).cloned());
        let mut response = self.dispatch(head, body, user).await.unwrap_or_else(Response::from);
        self.settings.allowed_origins.allow(origin.as_ref(), response.headers_mut());
        let bytes = response.body().len();
        if method == Method::HEAD {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
            *response.body_mut() = Bytes::new();
        }
        if response.extensions().get::<Unlogged>().is_some() {
            return response;
        }
        let ms = self.clock.now().saturating_sub(began).as_millis();
        let line = AccessLine { method: &method, path: uri.path(), status: response.status(), bytes, ms, user };
        self.log.line(&line.to_string());
        response
    }

    async fn dispatch(&self, head: Parts, body: impl BodySource, user: IpAddr) -> Result<Response, Problem> {
        let target = routing::find::<A>(&head.method, head.uri.path());
        let Ok(Target::Own(endpoint)) = target else {
            // No body is needed here, but a client that sends one must still be able to read the response.
            body::discard(body).await;
            return Ok(match target? {
                Target::Health => self.health().await,
                Target::Options => options::<A>(&head.method, head.uri.path(), &head.headers),
                _ => json_response(self.description.clone()),
            });
        };
        let body = body::read(&head.headers, body, self.settings.max_body_bytes).await?;
        self.app.call(endpoint, Call { request: Request::from_parts(head, body), user }).await
    }

    async fn health(&self) -> Response {
        let health = self.app.health().await;
        let Ok(body) = serde_json::to_vec(&health) else {
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer has no JSON form").into();
        };
        let mut response = json_response(body.into());
        *response.status_mut() = health.http_status();
        response
    }
}

fn options<A: App>(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let allow = routing::allow::<A>(path);
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    if cors::is_preflight(method, headers) {
        cors::add_preflight_headers(headers, allow, response.headers_mut());
    } else {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

fn describe<A: App>() -> String {
    let routes = routing::listing::<A>();
    let endpoints =
        routes.map(|(method, path, about)| json!({"method": method.as_str(), "path": path, "about": about}));
    let endpoints: Vec<_> = endpoints.collect();
    let description = json!({
        "name": A::NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "about": A::ABOUT,
        "endpoints": endpoints,
    });
    description.to_string()
}

fn json_response(body: Bytes) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
