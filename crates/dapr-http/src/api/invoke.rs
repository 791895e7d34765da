//! Service invocation: `dapr/pkg/api/http/directmessaging.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use sidecar::{Body, Refusal, Sidecar, clean, method_path};

use crate::route::unescape;

const APP_ID: &str = "dapr-app-id";

pub(super) async fn invoke(sidecar: &Sidecar, mut request: Request<Body>) -> Result<Response<Body>, Refusal> {
    let (target, method) = target(request.uri().path(), request.headers()).ok_or_else(Refusal::no_app_id)?;
    request.headers_mut().remove(APP_ID);
    let path = method_path(&method, request.uri().query()).map_err(|error| Refusal::invoke(&target, &error))?;
    *request.uri_mut() = path.into();
    let answered = sidecar.invoker().invoke(&target, request).await;
    answered.map(typed).map_err(|error| Refusal::invoke(&target, &error))
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
}
