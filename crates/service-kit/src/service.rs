//! A service: its router, and the layers that all services share.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_request_with_state, map_response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::limit::RequestBodyLimitLayer;

use crate::description::Document;
use crate::{
    Description, EdgeSettings, Log, StderrLog, access_log, allowed_origins, client_address, fallback, rejection,
};

/// A router with its description and settings.
pub struct Service {
    description: Description,
    settings: EdgeSettings,
    routes: Router,
    log: Arc<dyn Log>,
}

impl Service {
    /// Creates a service from its own routes; its health check is the route `/healthz`.
    #[must_use]
    pub fn new(description: Description, settings: EdgeSettings, routes: Router) -> Self {
        Self { description, settings, routes, log: Arc::new(StderrLog) }
    }

    /// Sends log lines to `log` instead of stderr.
    #[must_use]
    pub fn with_log(self, log: Arc<dyn Log>) -> Self {
        Self { log, ..self }
    }

    /// Returns the name of the service.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.description.name
    }

    /// Returns the HTTP settings.
    #[must_use]
    pub fn settings(&self) -> &EdgeSettings {
        &self.settings
    }

    /// Returns the complete router: the service's routes, `GET /`, and the shared layers.
    pub fn into_router(self) -> Router {
        let Self { description, settings, routes, log } = self;
        let (document, body_limit) = (Document::from(description), settings.max_body_bytes);
        let routes = routes
            .route_layer(RequestBodyLimitLayer::new(body_limit))
            .route("/", get(async || Json(document)))
            .layer(DefaultBodyLimit::disable())
            .method_not_allowed_fallback(fallback::wrong_method)
            .fallback(fallback::not_found)
            .layer(from_fn_with_state(body_limit, rejection::into_problem));
        // A router adds `Allow` outside its own layers: only a router around it can change the header.
        let routes = Router::new().fallback_service(routes).layer(map_response(fallback::complete_allow));
        let cors = settings.allowed_origins.layer();
        routes
            .clone()
            .layer(cors)
            .layer(from_fn_with_state(routes, allowed_origins::bypass_probe))
            .layer(from_fn_with_state(log, access_log::log))
            .layer(map_request_with_state(Arc::new(settings.trusted_proxies), client_address::resolve))
    }
}

#[cfg(test)]
mod tests;
