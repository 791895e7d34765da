//! Service invocation: `dapr/pkg/api/http/directmessaging.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use sidecar::{Body, InvokeError, NotUtf8, Refusal, Sidecar, method_path};

use crate::route::unescape;

const APP_ID: &str = "dapr-app-id";
/// Between an application's id and its method.
const METHOD: &[u8] = b"/method/";

pub(super) async fn invoke(sidecar: &Sidecar, mut request: Request<Body>) -> Result<Response<Body>, Refusal> {
    // Decoded once, here; what is left is the application's own affair.
    let path: Vec<u8> = percent_decode_str(request.uri().path()).collect();
    let (target, method) = target(&path, request.headers()).ok_or_else(Refusal::no_app_id)?;
    request.headers_mut().remove(APP_ID);
    let refused = |error| Refusal::invoke(&target, &error);
    let verb = verb(request.method()).map_err(refused)?;
    *request.method_mut() = verb;
    let path = method_path(&method, request.uri().query()).map_err(refused)?;
    if str::from_utf8(&method).is_err() {
        request.extensions_mut().insert(NotUtf8);
    }
    *request.uri_mut() = path.into();
    let answered = sidecar.invoker().invoke(&target, request).await;
    answered.map(typed).map_err(refused)
}

/// The verb that reaches the application: those that Dapr knows in upper case, and any other as it is
/// (`dapr/pkg/messaging/v1/invoke_method_request.go`).
///
/// # Errors
/// When it is CONNECT, which daprd does not send.
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

/// An answer with its content type as Dapr and Go's server leave it: a failure that has none is taken for JSON, and an
/// answer that repeats nothing says nothing about its type.
fn typed(mut answer: Response<Body>) -> Response<Body> {
    let status = answer.status();
    let headers = answer.headers_mut();
    if status == StatusCode::NOT_MODIFIED {
        headers.remove(CONTENT_TYPE);
    } else if !(200..400).contains(&status.as_u16()) && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    answer
}

/// The application and the method that a request with that path, decoded, means: by header, by user name, or by path.
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

/// `Basic` credentials `dapr-app-id:ID`, with exactly one colon.
fn user_name(authorization: &str) -> Option<String> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (name, id) = decoded.split_once(':')?;
    (name.eq_ignore_ascii_case(APP_ID) && !id.contains(':') && !id.is_empty()).then(|| id.to_owned())
}

/// What follows `/v1.0/invoke/`, not cleaned, because the application may be an URL with two slashes in it.
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
    fn an_application_is_named_by_path_header_or_user_name() {
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
    fn known_verbs_are_in_upper_case_and_connect_is_refused() {
        let found = |text: &str| verb(&text.parse().unwrap()).map(|verb| verb.to_string()).ok();
        assert_eq!(found("patch").as_deref(), Some("PATCH"));
        assert_eq!(found("Get").as_deref(), Some("GET"));
        assert_eq!(found("PROPFIND").as_deref(), Some("PROPFIND"));
        assert_eq!((found("CONNECT"), found("connect"), found("none")), (None, None, None));
    }
}
