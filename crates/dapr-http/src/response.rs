//! Responses as `dapr/pkg/api/http/responses.go` writes them.

use building_blocks::Metadata;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use sidecar::{Body, Refusal, empty_body, full_body};

/// `204`, without a body.
pub(crate) fn empty() -> Response<Body> {
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Bytes, said to be JSON; Dapr says so whatever they are.
pub(crate) fn data(status: StatusCode, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full_body(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Plain text.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// JSON as Go's `json.Encoder` writes it, with a line end.
pub(crate) fn encoded(value: &impl serde::Serialize) -> Response<Body> {
    match serde_json::to_value(value) {
        Ok(value) => {
            let mut text = go_json::write(&value);
            text.push('\n');
            data(StatusCode::OK, text)
        }
        Err(error) => refusal(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "ERROR", error)),
    }
}

/// A struct as Go's `json.Encoder` writes it: fields in their order, a line end. What cannot be written is an empty
/// body, as there.
pub(crate) fn structured(value: &impl serde::Serialize) -> Result<Response<Body>, Refusal> {
    let text = serde_json::to_string(value).map(|text| go_json::compact(&text)).unwrap_or_default();
    Ok(data(StatusCode::OK, text))
}

/// Adds `metadata` as headers named `metadata.NAME`. What cannot stand in a header is left out.
pub(crate) fn add_metadata(response: &mut Response<Body>, metadata: &Metadata) {
    for (name, value) in metadata {
        let name = HeaderName::from_bytes(format!("metadata.{name}").as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// What was refused, and why.
pub(crate) fn refusal(refusal: Refusal) -> Response<Body> {
    let Refusal { status, code, message, details } = refusal;
    // Go writes a struct's fields in their order, and the details' (which are maps) sorted.
    let details = if details.is_empty() { String::new() } else { format!(",\"details\":[{}]", details.join(",")) };
    let message = go_json::write(&serde_json::Value::String(message));
    data(status, format!("{{\"errorCode\":\"{code}\",\"message\":{message}{details}}}"))
}
