//! CORS: `dapr/pkg/api/http/server.go`, `useCors`, with the behaviour of `go-chi/cors`.

use dapr_runtime::{Body, full_body};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method, Request, Response};

/// Allowed methods; `OPTIONS` is always among them.
const METHODS: &[&str] = &["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Allowed CORS origins (`--allowed-origins`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    All,
    /// Text before and after a `*`, which matches any text.
    Pattern(String, String),
    Exactly(String),
}

impl AllowedOrigins {
    /// Parses a comma-separated list, where `*` matches all or part of an origin.
    ///
    /// Returns `None` for an empty list: no CORS headers are sent.
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        let allowed = |origin: &str| match origin.to_lowercase().split_once('*') {
            _ if origin == "*" => Allowed::All,
            Some((before, behind)) => Allowed::Pattern(before.to_owned(), behind.to_owned()),
            None => Allowed::Exactly(origin.to_lowercase()),
        };
        (!list.is_empty()).then(|| Self(list.split(',').map(allowed).collect()))
    }

    /// Responds to a CORS preflight request; `None` for any other request.
    pub(crate) fn preflight(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let headers = request.headers();
        let method = text(headers, &ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() != Method::OPTIONS || method.is_empty() {
            return None;
        }
        let mut response = Response::new(full_body(""));
        let allowed_headers = response.headers_mut();
        for name in ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"] {
            allowed_headers.append(VARY, HeaderValue::from_static(name));
        }
        if let Some(origin) = self.allowed(headers, method) {
            allowed_headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            allowed_headers
                .extend(HeaderValue::try_from(method.to_uppercase()).ok().map(|it| (ACCESS_CONTROL_ALLOW_METHODS, it)));
            let wanted = HeaderValue::try_from(canonical_list(text(headers, &ACCESS_CONTROL_REQUEST_HEADERS)));
            let wanted = wanted.ok().filter(|list| !list.is_empty());
            allowed_headers.extend(wanted.map(|list| (ACCESS_CONTROL_ALLOW_HEADERS, list)));
        }
        Some(response)
    }

    /// Creates the CORS headers of a response.
    pub(crate) fn response_headers(&self, method: &Method, headers: &HeaderMap) -> HeaderMap {
        let mut allowed_headers = HeaderMap::new();
        allowed_headers.insert(VARY, HeaderValue::from_static("Origin"));
        allowed_headers
            .extend(self.allowed(headers, method.as_str()).map(|origin| (ACCESS_CONTROL_ALLOW_ORIGIN, origin)));
        allowed_headers
    }

    /// Returns the value of `Access-Control-Allow-Origin`, if the request's origin is allowed.
    fn allowed(&self, headers: &HeaderMap, method: &str) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN).filter(|origin| !origin.is_empty())?;
        if !METHODS.contains(&method.to_uppercase().as_str()) || !self.allow(origin) {
            return None;
        }
        let is_all = self.0.contains(&Allowed::All);
        Some(if is_all { HeaderValue::from_static("*") } else { origin.clone() })
    }

    /// Returns whether pages of `origin` may use the API.
    pub(crate) fn allow(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let lower = origin.to_lowercase();
        let matches = |allowed: &Allowed| match allowed {
            Allowed::All => true,
            Allowed::Pattern(before, behind) => {
                lower.len() >= before.len() + behind.len() && lower.starts_with(before) && lower.ends_with(behind)
            }
            Allowed::Exactly(one) => *one == lower,
        };
        self.0.iter().any(matches)
    }
}

/// Returns a header's first value; empty if absent.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Canonicalizes a list of header names as Go does.
fn canonical_list(list: &str) -> String {
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    names.map(canonical).collect::<Vec<_>>().join(", ")
}

fn canonical(name: &str) -> String {
    let mut begins = true;
    let letter = |it: char| {
        let shown = if begins { it.to_ascii_uppercase() } else { it.to_ascii_lowercase() };
        begins = it == '-';
        (it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.')).then_some(shown)
    };
    name.chars().filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origins: &str, origin: &'static str, method: &'static str) -> HeaderMap {
        let origins = AllowedOrigins::parse(origins).unwrap();
        let request = Request::options("/v1.0/metadata")
            .header(ORIGIN, origin)
            .header(ACCESS_CONTROL_REQUEST_METHOD, method)
            .header(ACCESS_CONTROL_REQUEST_HEADERS, "content-type,X-MY_own");
        origins.preflight(&request.body(full_body("")).unwrap()).unwrap().headers().clone()
    }

    #[test]
    fn listed_origin_gets_allow_headers() {
        for (list, origin, answer) in [
            ("*", "http://a.example", "*"),
            ("http://a.example,http://b.example", "HTTP://B.example", "HTTP://B.example"),
            ("https://*.example", "https://x.y.example", "https://x.y.example"),
        ] {
            let allowed_headers = asked(list, origin, "put");
            assert_eq!(allowed_headers[ACCESS_CONTROL_ALLOW_ORIGIN], answer, "{list}");
            assert_eq!(allowed_headers[ACCESS_CONTROL_ALLOW_METHODS], "PUT");
            assert_eq!(allowed_headers[ACCESS_CONTROL_ALLOW_HEADERS], "Content-Type, X-My_own");
        }
    }

    #[test]
    fn other_origins_and_methods_get_no_allow_headers() {
        for (list, origin, method) in [
            ("http://a.example", "http://b.example", "GET"),
            ("http://a.example", "", "GET"),
            ("https://*.example", "https://.exampl", "GET"),
            ("*", "http://a.example", "TRACE"),
        ] {
            let allowed_headers = asked(list, origin, method);
            assert!(!allowed_headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{list} {origin} {method}");
            assert_eq!(allowed_headers.get_all(VARY).iter().count(), 3);
        }
    }

    #[test]
    fn empty_list_disables_cors() {
        assert_eq!(AllowedOrigins::parse(""), None);
    }
}
