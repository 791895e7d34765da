//! Turns the plain-text errors of extractors and layers into problem details.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::Problem;
use crate::body::{self, BodyFailure};

/// Longest explanation of an error.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Handles a request, and turns a rejection of it into a problem.
pub(crate) async fn into_problem(State(body_limit): State<usize>, request: Request, next: Next) -> Response {
    let failure = BodyFailure::default();
    let response = next.run(request.map(|body| body::watch(body, &failure))).await;
    if !is_rejection(&response) {
        return response;
    }
    if let Some(problem) = failure.problem() {
        return problem.into_response();
    }
    let status = response.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(status, format!("the body may have at most {body_limit} bytes")).into_response();
    }
    let text = to_bytes(response.into_body(), MAX_TEXT_BYTES).await.unwrap_or_default();
    Problem::new(status, String::from_utf8_lossy(&text).into_owned()).into_response()
}

/// Returns true for an error that explains itself in plain text.
fn is_rejection(response: &Response) -> bool {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    is_error && media_type.is_some_and(|media_type| media_type.starts_with("text/plain"))
}

#[cfg(test)]
mod tests;
