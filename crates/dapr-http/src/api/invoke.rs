//! Service invocation: `dapr/pkg/api/http/directmessaging.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sidecar::{Body, InvokeError, Sidecar};

use crate::error::ApiError;
use crate::route::{clean, unescape};

const APP_ID: &str = "dapr-app-id";

/// What Go's `URL.EscapedPath` escapes.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(super) async fn invoke(sidecar: &Sidecar, mut request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let (target, method) = target(request.uri().path(), request.headers()).ok_or_else(ApiError::no_app_id)?;
    request.headers_mut().remove(APP_ID);
    let path = path_and_query(&method, request.uri().query()).map_err(|why| {
        let error = InvokeError::Channel(format!("rpc error: code = InvalidArgument desc = {why}").into());
        ApiError::invoke(&target, &error)
    })?;
    *request.uri_mut() = path.into();
    let answered = sidecar.invoker().invoke(&target, request).await;
    answered.map(typed).map_err(|error| ApiError::invoke(&target, &error))
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

/// The application and the method that a request means: by header, by user name, or by path.
fn target(path: &str, headers: &HeaderMap) -> Option<(String, String)> {
    let whole_path = || clean(path).trim_start_matches('/').to_owned();
    if let Some(id) = headers.get(APP_ID).and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty()) {
        return Some((id.to_owned(), whole_path()));
    }
    if let Some(id) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(user_name) {
        return Some((id, whole_path()));
    }
    let rest = after_invoke(path)?;
    let (id, method) = rest.split_once("/method/").filter(|(id, _)| !id.is_empty())?;
    Some((unescape(id), method.to_owned()))
}

/// `Basic` credentials `dapr-app-id:ID`, with exactly one colon.
fn user_name(authorization: &str) -> Option<String> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (name, id) = decoded.split_once(':')?;
    (name.eq_ignore_ascii_case(APP_ID) && !id.contains(':') && !id.is_empty()).then(|| id.to_owned())
}

/// What follows `/v1.0/invoke/`, not cleaned, because the application may be an URL with two slashes in it.
fn after_invoke(path: &str) -> Option<&str> {
    let rest = path.trim_start_matches('/').strip_prefix("v1.0/")?;
    rest.trim_start_matches('/').strip_prefix("invoke/").map(|rest| rest.trim_start_matches('/'))
}

/// `dapr/pkg/messaging/method`: decoded, without dots, and free of what could mean something else further on.
fn path_and_query(method: &str, query: Option<&str>) -> Result<PathAndQuery, String> {
    let decoded = percent_decode_str(method).decode_utf8_lossy();
    // Dapr cleans the path before it looks at it.
    let cleaned = clean(&format!("/{decoded}")).into_owned();
    let shown = cleaned.trim_start_matches('/');
    if shown.contains(['#', '?', '\0']) {
        return Err(format!("invalid method: method contains forbidden character: {shown:?}"));
    }
    if let Some(position) = shown.bytes().position(|byte| byte < b' ' || byte == 0x7f) {
        return Err(format!("invalid method: method contains control character at position {position}: {shown:?}"));
    }
    let mut text = utf8_percent_encode(&cleaned, PATH).to_string();
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        text.push('?');
        text.push_str(query);
    }
    PathAndQuery::try_from(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn an_application_is_named_by_path_header_or_user_name() {
        let found = |path, headers: &HeaderMap| target(path, headers).unwrap();
        let pair = |id: &str, method: &str| (id.to_owned(), method.to_owned());
        assert_eq!(found("/v1.0/invoke/app/method/a/b", &HeaderMap::new()), pair("app", "a/b"));
        assert_eq!(found("//v1.0//invoke/app/method/", &HeaderMap::new()), pair("app", ""));
        assert_eq!(found("/v1.0/invoke/http://h:1/method/x", &HeaderMap::new()), pair("http://h:1", "x"));
        assert_eq!(found("/v1.0/invoke/http%3A%2F%2Fh/method/x", &HeaderMap::new()), pair("http://h", "x"));
        assert_eq!(found("/a//b/", &headers("dapr-app-id", "app")), pair("app", "a/b"));
        // "dapr-app-id:app"
        assert_eq!(found("/m", &headers("authorization", "Basic ZGFwci1hcHAtaWQ6YXBw")), pair("app", "m"));
        assert_eq!(target("/v1.0/invoke/app/x", &HeaderMap::new()), None);
        // "someone:app"
        assert_eq!(target("/m", &headers("authorization", "Basic c29tZW9uZTphcHA=")), None);
    }

    #[test]
    fn a_method_is_decoded_cleaned_and_encoded_again() {
        let path = |method, query| path_and_query(method, query).map(|path| path.to_string());
        assert_eq!(path("a%20b/../c", Some("q=%2F")).unwrap(), "/c?q=%2F");
        assert_eq!(path("", None).unwrap(), "/");
        assert_eq!(path("../../x/", Some("")).unwrap(), "/x");
        assert_eq!(path("caf%C3%A9", None).unwrap(), "/caf%C3%A9");
        assert!(path("a%00b", None).is_err() && path("a%3Fb", None).is_err() && path("a%23b", None).is_err());
    }
}
