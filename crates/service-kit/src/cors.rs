//! Which pages may read the answers.

use std::str::FromStr;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method};

/// What a page's script may read besides the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("Event-Delivery, Retry-After, Server-Timing");

/// How long a browser may remember a preflight's answer, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may read the answers. No credentials are ever allowed with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every page: these services hold nothing that belongs to a visitor.
    Any,
    /// Only these.
    Only(Vec<HeaderValue>),
}

impl AllowedOrigins {
    /// Adds what a browser looks for before it lets a page of that origin read the answer.
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

/// Whether an `OPTIONS` request is a browser's question before the real request.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Adds the answer to a preflight. Any header may be sent: none of them has a meaning that a page could abuse.
pub(crate) fn answer_preflight(request: &HeaderMap, methods: HeaderValue, response: &mut HeaderMap) {
    response.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    response.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(headers) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
    }
}

impl FromStr for AllowedOrigins {
    type Err = ();

    /// Reads `*`, or origins such as `https://example.org`, separated by commas.
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
    fn every_page_is_allowed_by_a_star() {
        assert_eq!(allowed("*", "https://a.example").as_deref(), Some("*"));
    }

    #[test]
    fn only_listed_pages_are_allowed_by_a_list() {
        let setting = "https://a.example, http://localhost:8080";
        assert_eq!(allowed(setting, "http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(allowed(setting, "https://b.example"), None);
    }

    #[test]
    fn an_origin_has_a_scheme_and_no_path() {
        assert!("a.example".parse::<AllowedOrigins>().is_err());
        assert!("https://a.example/".parse::<AllowedOrigins>().is_err());
    }
}
