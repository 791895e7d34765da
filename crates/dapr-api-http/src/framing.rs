//! Rejects requests that HTTP/1.1 does not allow (RFC 9112), beyond those that hyper rejects.
//!
//! hyper treats a request with both Transfer-Encoding and Content-Length as chunked, and closes the connection after
//! the response (section 6.3).

use dapr_runtime::Body;
use http::header::{CONNECTION, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};

use crate::response;

/// Checks that there is exactly one Host (section 3.2). The errors are those of Go's server.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), &'static str> {
    if request.version() != Version::HTTP_11 || request.method() == Method::CONNECT {
        return Ok(());
    }
    match request.headers().get_all(HOST).iter().count() {
        0 => Err("400 Bad Request: missing required Host header"),
        1 => Ok(()),
        _ => Err("400 Bad Request: too many Host headers"),
    }
}

/// Responds to a request that [`check`] rejected. The connection is closed after it.
pub(crate) fn reject(why: &'static str) -> Response<Body> {
    let mut response = response::plain(StatusCode::BAD_REQUEST, why);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
