//! Requests that may be sent twice.

use dapr_building_blocks::middleware::{Body, empty_body};
use http::{Method, Request};

/// A copy of a request without side effects or body, for a retry on another connection.
///
/// Go's client retries the same way when a pooled connection turns out to be closed before a response has begun.
pub struct Replay(Request<()>);

impl Replay {
    /// Copies `request`, if it may be sent again.
    #[must_use]
    pub fn new(request: &Request<Body>) -> Option<Self> {
        use http_body::Body as _;
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        if !(is_safe && request.body().is_end_stream()) {
            return None;
        }
        let mut copy = Request::new(());
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        copy.headers_mut().clone_from(request.headers());
        Some(Self(copy))
    }

    /// Returns the request to be sent again.
    #[must_use]
    pub fn into_request(self) -> Request<Body> {
        self.0.map(|()| empty_body())
    }
}
