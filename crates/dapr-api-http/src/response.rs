//! Responses as `dapr/pkg/api/http/responses.go` writes them.

use bytes::Bytes;
use dapr_building_blocks::Metadata;
use dapr_runtime::{ApiError, Body, ErrorDetail, empty_body, full_body};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// Creates a `204` without a body.
pub(crate) fn empty() -> Response<Body> {
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Creates a response with bytes of type JSON; Dapr claims that type whatever they are.
pub(crate) fn data(status: StatusCode, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full_body(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Creates a plain-text response.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Renders JSON as Go's `json.Encoder` does, with a line end.
pub(crate) fn encoded(value: &impl serde::Serialize) -> Response<Body> {
    match serde_json::to_value(value) {
        Ok(value) => {
            let mut text = go_compat::write(&value);
            text.push('\n');
            data(StatusCode::OK, text)
        }
        Err(error) => self::error(ApiError::internal("ERROR", error)),
    }
}

/// Renders a struct as Go's `json.Encoder` does: fields in order, a line end.
///
/// A value that cannot be encoded gives an empty body, as in Go.
pub(crate) fn structured(value: &impl serde::Serialize) -> Result<Response<Body>, ApiError> {
    let text = serde_json::to_string(value).map(|text| go_compat::compact(&text)).unwrap_or_default();
    Ok(data(StatusCode::OK, text))
}

/// Adds `metadata` as headers named `metadata.NAME`; skips invalid header names and values.
pub(crate) fn add_metadata(response: &mut Response<Body>, metadata: &Metadata) {
    for (name, value) in metadata {
        let name = HeaderName::from_bytes(format!("metadata.{name}").as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// Renders an API error.
pub(crate) fn error(error: ApiError) -> Response<Body> {
    let status = error.http_status();
    let ApiError { code, message, details, .. } = error;
    let details: Vec<String> = details.iter().map(ErrorDetail::to_json).collect();
    let details = if details.is_empty() { String::new() } else { format!(",\"details\":[{}]", details.join(",")) };
    let message = go_compat::write(&serde_json::Value::String(message));
    data(status, format!("{{\"errorCode\":\"{code}\",\"message\":{message}{details}}}"))
}
