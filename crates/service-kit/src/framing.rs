//! Rejects requests that HTTP/1.1 (RFC 9112) forbids and hyper lets through.

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{StatusCode, Version};

use crate::{Problem, Response};

/// Checks that there is one Host (section 3.2), and only one length of the body (section 6.3).
pub(crate) fn check(head: &Parts) -> Result<(), Problem> {
    if head.version != Version::HTTP_11 {
        return Ok(());
    }
    let headers = &head.headers;
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
pub(crate) fn is_last(head: &Parts) -> bool {
    head.version == Version::HTTP_11 && (head.headers.contains_key(TRANSFER_ENCODING) || check(head).is_err())
}

/// Asks the server to close the connection after `response`.
pub(crate) fn close_after(response: &mut Response) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
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
            let head = head(headers);
            assert_eq!((check(&head).is_ok(), super::is_last(&head)), (is_allowed, is_last), "{headers:?}");
        }
    }
}
