//! Rejects cross-site requests with side effects: a browser sends a simple POST without a preflight.
//!
//! This differs from `daprd`, where any page that its user visits can write state, invoke and shut down.

use dapr_building_blocks::middleware::Peer;
use dapr_runtime::{ApiError, Body, ErrorCategory};
use http::header::{HOST, ORIGIN};
use http::{Method, Request};

use crate::cors::AllowedOrigins;

/// Checks a request that may have side effects.
///
/// Only a request from outside the process can come from a browser.
pub(crate) fn check(request: &Request<Body>, allowed: Option<&AllowedOrigins>) -> Result<(), ApiError> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    if is_safe || request.extensions().get::<Peer>().is_none() {
        return Ok(());
    }
    if is_same(origin.to_str().unwrap_or_default(), request) || allowed.is_some_and(|allowed| allowed.allow(origin)) {
        return Ok(());
    }
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    Err(ApiError::new(
        ErrorCategory::PermissionDenied,
        "ERR_ORIGIN_NOT_ALLOWED",
        format_args!("pages of {origin:?} may not change anything: see --allowed-origins"),
    ))
}

/// Returns whether `origin` is the site that the request was sent to.
fn is_same(origin: &str, request: &Request<Body>) -> bool {
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    let site = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    matches!((site, host), (Some(site), Some(host)) if site.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use dapr_runtime::empty_body;

    use super::*;

    fn check(method: &str, origin: &str, allowed: &str, is_outside: bool) -> bool {
        let mut request = Request::builder().method(method).uri("/v1.0/shutdown").header(HOST, "localhost:3500");
        if !origin.is_empty() {
            request = request.header(ORIGIN, origin);
        }
        let mut request = request.body(empty_body()).unwrap();
        if is_outside {
            request.extensions_mut().insert(Peer("127.0.0.1:9".parse().unwrap()));
        }
        super::check(&request, AllowedOrigins::parse(allowed).as_ref()).is_ok()
    }

    #[test]
    fn cross_site_writes_are_rejected() {
        for origin in ["http://elsewhere.example", "null", "http://localhost:8080", "https://localhost", "file://"] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "PURGE"] {
                assert!(!check(method, origin, "", true), "{method} {origin}");
                assert!(!check(method, origin, "http://page.example", true), "{method} {origin}");
            }
            assert!(check("GET", origin, "", true), "{origin}");
        }
    }

    #[test]
    fn programs_guests_and_allowed_origins_may_write() {
        assert!(check("POST", "", "", true));
        assert!(check("POST", "http://elsewhere.example", "", false));
        assert!(check("POST", "http://localhost:3500", "", true));
        assert!(check("POST", "http://page.example", "http://page.example", true));
        assert!(check("POST", "null", "*", true));
    }
}
