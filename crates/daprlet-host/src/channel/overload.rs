//! Responses for an application that does not keep up.

use dapr_runtime::{Body, full_body};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

/// Value of `Retry-After`, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Creates a `503` with `Retry-After`.
pub(crate) fn response() -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "the application is busy; try again in a bit\n");
    response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    response
}

/// Creates a `504`.
pub(crate) fn timed_out() -> Response<Body> {
    plain(StatusCode::GATEWAY_TIMEOUT, "the application took too long\n")
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
