//! Responses to requests that no route takes.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};

use crate::Problem;

/// Responds to a path that does not exist.
pub(crate) async fn not_found() -> Problem {
    Problem::not_found("there is nothing here; GET / lists what there is")
}

/// Responds to a method that a path does not have.
///
/// Every path has `OPTIONS`, with which Dapr probes for bindings.
pub(crate) async fn wrong_method(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method").into_response()
}

/// Adds `OPTIONS` to the methods that axum lists.
pub(crate) async fn complete_allow(mut response: Response) -> Response {
    if let Some(allow) = response.headers().get(ALLOW).and_then(|allow| allow.to_str().ok()) {
        let methods: Vec<&str> = allow.split(',').chain(["OPTIONS"]).collect();
        if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
            response.headers_mut().insert(ALLOW, allow);
        }
    }
    response
}
