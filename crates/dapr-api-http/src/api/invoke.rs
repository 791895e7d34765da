//! Service invocation: `dapr/pkg/api/http/directmessaging.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dapr_runtime::{ApiError, Body, InvokeError, NotUtf8, method_path};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::router::{Call, Endpoint, Version, unescape};

const APP_ID: &str = "dapr-app-id";
/// Separator between an app id and its method.
const METHOD: &[u8] = b"/method/";

/// Any request that is for no other endpoint.
pub(crate) const ENDPOINT: Endpoint =
    Endpoint::new(&[], Version::V1, "*", Some("invoke"), "CallLocal", |call| Box::pin(invoke(call)));

async fn invoke(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let Call { sidecar, mut request, .. } = call;
    // Decoded once, here; further escapes are up to the application.
    let path: Vec<u8> = percent_decode_str(request.uri().path()).collect();
    let (target, method) = target(&path, request.headers()).ok_or_else(ApiError::no_app_id)?;
    request.headers_mut().remove(APP_ID);
    let refused = |error| ApiError::invoke(&target, &error);
    let verb = verb(request.method()).map_err(refused)?;
    *request.method_mut() = verb;
    let path = method_path(&method, request.uri().query()).map_err(refused)?;
    if str::from_utf8(&method).is_err() {
        request.extensions_mut().insert(NotUtf8);
    }
    *request.uri_mut() = path.into();
    let result = sidecar.invoke(&target, request).await;
    result.map(default_content_type).map_err(refused)
}

/// Selects the verb for the application: known verbs in upper case, any other unchanged
/// (`dapr/pkg/messaging/v1/invoke_method_request.go`).
///
/// # Errors
/// For CONNECT, which daprd does not send.
fn verb(method: &Method) -> Result<Method, InvokeError> {
    const KNOWN: [Method; 8] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ];
    let is = |known: &Method| known.as_str().eq_ignore_ascii_case(method.as_str());
    if is(&Method::CONNECT) || method.as_str().eq_ignore_ascii_case("NONE") {
        return Err(InvokeError::Channel("rpc error: code = InvalidArgument desc = invalid HTTP verb".into()));
    }
    Ok(KNOWN.into_iter().find(is).unwrap_or_else(|| method.clone()))
}

/// Sets the content type as Dapr and Go's server do.
///
/// A failure without a type becomes JSON, and a 304 loses its type.
fn default_content_type(mut response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let headers = response.headers_mut();
    if status == StatusCode::NOT_MODIFIED {
        headers.remove(CONTENT_TYPE);
    } else if !(200..400).contains(&status.as_u16()) && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// Finds the app id and method of a request with the given decoded path.
///
/// The app id is in a header, the user name, or the path.
fn target(path: &[u8], headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    if let Some(id) = headers.get(APP_ID).and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty()) {
        return Some((id.to_owned(), path.to_vec()));
    }
    if let Some(id) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(user_name) {
        return Some((id, path.to_vec()));
    }
    let rest = after_invoke(path)?;
    let at = rest.windows(METHOD.len()).position(|part| part == METHOD).filter(|at| *at > 0)?;
    let (id, method) = (rest.get(..at)?, rest.get(at + METHOD.len()..)?);
    Some((unescape(&String::from_utf8_lossy(id)), method.to_vec()))
}

/// Parses `Basic` credentials `dapr-app-id:ID`, with exactly one colon.
fn user_name(authorization: &str) -> Option<String> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (name, id) = decoded.split_once(':')?;
    (name.eq_ignore_ascii_case(APP_ID) && !id.contains(':') && !id.is_empty()).then(|| id.to_owned())
}

/// Returns the path after `/v1.0/invoke/`.
///
/// It is not cleaned, because the app id may be a URL with two slashes in it.
fn after_invoke(path: &[u8]) -> Option<&[u8]> {
    let rest = without_slashes(path).strip_prefix(b"v1.0/")?;
    without_slashes(rest).strip_prefix(b"invoke/").map(without_slashes)
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let slashes = path.iter().take_while(|byte| **byte == b'/').count();
    path.get(slashes..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn app_id_is_found_in_path_header_or_user_name() {
        let found = |path: &str, headers: &HeaderMap| target(path.as_bytes(), headers).unwrap();
        let pair = |id: &str, method: &str| (id.to_owned(), method.as_bytes().to_vec());
        assert_eq!(found("/v1.0/invoke/app/method/a/b", &HeaderMap::new()), pair("app", "a/b"));
        assert_eq!(found("//v1.0//invoke/app/method/", &HeaderMap::new()), pair("app", ""));
        assert_eq!(found("/v1.0/invoke/http://h:1/method/x", &HeaderMap::new()), pair("http://h:1", "x"));
        assert_eq!(found("/v1.0/invoke/http%3A%2F%2Fh/method/x", &HeaderMap::new()), pair("http://h", "x"));
        assert_eq!(found("/a//b/", &headers("dapr-app-id", "app")), pair("app", "/a//b/"));
        // "dapr-app-id:app"
        assert_eq!(found("/m", &headers("authorization", "Basic ZGFwci1hcHAtaWQ6YXBw")), pair("app", "/m"));
        assert_eq!(target(b"/v1.0/invoke/app/x", &HeaderMap::new()), None);
        // "someone:app"
        assert_eq!(target(b"/m", &headers("authorization", "Basic c29tZW9uZTphcHA=")), None);
    }

    #[test]
    fn known_verbs_become_upper_case_and_connect_fails() {
        let found = |text: &str| verb(&text.parse().unwrap()).map(|verb| verb.to_string()).ok();
        assert_eq!(found("patch").as_deref(), Some("PATCH"));
        assert_eq!(found("Get").as_deref(), Some("GET"));
        assert_eq!(found("PROPFIND").as_deref(), Some("PROPFIND"));
        assert_eq!((found("CONNECT"), found("connect"), found("none")), (None, None, None));
    }
}
