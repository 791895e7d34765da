//! CORS: the origins whose pages may read responses.

use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER};
use tower::ServiceExt as _;
use tower_http::cors::{AllowHeaders, AllowMethods, Any, CorsLayer};

use crate::events::EVENT_DELIVERY;

/// Headers that a page's script may read besides the body.
const EXPOSED: [HeaderName; 3] = [EVENT_DELIVERY, RETRY_AFTER, HeaderName::from_static("server-timing")];

/// Time that a browser may cache a preflight response.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Origins whose pages may read responses. Credentials are never allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every origin: these services hold nothing that belongs to a visitor.
    Any,
    /// The listed origins.
    Only(Vec<HeaderValue>),
}

impl AllowedOrigins {
    /// Creates the layer that answers preflights and lets those pages read responses.
    ///
    /// A page may send any method and header: none has a meaning that it could abuse.
    pub(crate) fn layer(&self) -> CorsLayer {
        let layer = CorsLayer::new()
            .allow_methods(AllowMethods::mirror_request())
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(EXPOSED)
            .max_age(MAX_AGE);
        match self {
            Self::Any => layer.allow_origin(Any).vary([]),
            Self::Only(origins) => layer.allow_origin(origins.clone()).vary([ORIGIN]),
        }
    }
}

/// Handles an `OPTIONS` request that is no preflight without the CORS layer.
///
/// The layer takes every such request for a preflight, and Dapr sends them to find out which bindings a service has.
pub(crate) async fn bypass_probe(State(routes): State<Router>, request: Request, next: Next) -> Response {
    let is_preflight = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS && !is_preflight {
        return routes.oneshot(request).await.unwrap_or_else(|never| match never {});
    }
    next.run(request).await
}

impl FromStr for AllowedOrigins {
    type Err = ();

    /// Parses `*`, or origins such as `https://example.org`, separated by commas.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let origins = text.split(',').map(|origin| match origin.trim() {
            origin if origin.contains("://") && !origin.ends_with('/') => HeaderValue::from_str(origin).map_err(drop),
            _ => Err(()),
        });
        origins.collect::<Result<_, _>>().map(Self::Only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_without_scheme_or_with_path_is_rejected() {
        assert!("a.example".parse::<AllowedOrigins>().is_err());
        assert!("https://a.example/".parse::<AllowedOrigins>().is_err());
    }
}
