//! Rejects requests that HTTP/1.1 (RFC 9112) forbids and hyper lets through.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{StatusCode, Version};

use crate::Problem;

/// Rejects forbidden framing, and closes the connection after ambiguous framing.
pub(crate) async fn enforce(request: Request, next: Next) -> Response {
    let is_last = is_last(&request);
    let mut response = match check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if is_last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Checks that there is one Host (section 3.2), and only one length of the body (section 6.3).
fn check<B>(request: &http::Request<B>) -> Result<(), Problem> {
    if request.version() != Version::HTTP_11 {
        return Ok(());
    }
    let headers = request.headers();
    let why = match headers.get_all(HOST).iter().count() {
        0 => "the request has no Host header",
        1 if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) => {
            "the request has both Transfer-Encoding and Content-Length"
        }
        1 => return Ok(()),
        _ => "the request has several Host headers",
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, why))
}

/// Returns true if the connection must be closed after the response.
///
/// The server hides a Content-Length behind a Transfer-Encoding, so that every request with the latter may have had
/// both.
fn is_last<B>(request: &http::Request<B>) -> bool {
    let may_have_two_lengths = request.headers().contains_key(TRANSFER_ENCODING) || check(request).is_err();
    request.version() == Version::HTTP_11 && may_have_two_lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> http::Request<()> {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn request_needs_one_host_and_one_length() {
        let host = ("host", "a");
        let (chunked, length) = (("transfer-encoding", "chunked"), ("content-length", "3"));
        for (headers, is_allowed, is_last) in [
            (&[host][..], true, false),
            (&[host, length], true, false),
            (&[host, chunked], true, true),
            (&[host, length, chunked], false, true),
            (&[], false, true),
            (&[host, host], false, true),
        ] {
            let request = request(headers);
            assert_eq!((check(&request).is_ok(), super::is_last(&request)), (is_allowed, is_last), "{headers:?}");
        }
    }
}
