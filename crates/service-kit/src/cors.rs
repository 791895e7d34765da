//! CORS: the origins whose pages may read responses.

use std::str::FromStr;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method};

/// Headers that a page's script may read besides the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("Event-Delivery, Retry-After, Server-Timing");

/// Time that a browser may cache a preflight response, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Origins whose pages may read responses. Credentials are never allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every origin: these services hold nothing that belongs to a visitor.
    Any,
    /// The listed origins.
    Only(Vec<HeaderValue>),
}

impl AllowedOrigins {
    /// Adds the CORS headers that let a page of that origin read the response.
    pub(crate) fn allow(&self, origin: Option<&HeaderValue>, response: &mut HeaderMap) {
        let allowed = match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Only(origins) => {
                response.append(VARY, HeaderValue::from_static("Origin"));
                origin.filter(|origin| origins.contains(origin)).cloned()
            }
        };
        if let Some(allowed) = allowed {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// Returns true for a browser's CORS preflight request.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Adds the preflight response headers. Any request header is allowed: none has a meaning that a page could abuse.
pub(crate) fn add_preflight_headers(request: &HeaderMap, methods: HeaderValue, response: &mut HeaderMap) {
    response.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    response.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(headers) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
    }
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

    fn allowed(setting: &str, origin: &'static str) -> Option<String> {
        let mut response = HeaderMap::new();
        setting.parse::<AllowedOrigins>().unwrap().allow(Some(&HeaderValue::from_static(origin)), &mut response);
        response.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn star_allows_every_origin() {
        assert_eq!(allowed("*", "https://a.example").as_deref(), Some("*"));
    }

    #[test]
    fn list_allows_only_its_origins() {
        let setting = "https://a.example, http://localhost:8080";
        assert_eq!(allowed(setting, "http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(allowed(setting, "https://b.example"), None);
    }

    #[test]
    fn origin_without_scheme_or_with_path_is_rejected() {
        assert!("a.example".parse::<AllowedOrigins>().is_err());
        assert!("https://a.example/".parse::<AllowedOrigins>().is_err());
    }
}
