//! Requests that may be sent twice.

use http::{Method, Request};
use sidecar::{Body, empty_body};

/// A request that can be sent again over another connection, as Go's client does when a connection that was kept turns out to be
/// closed before an answer has begun: one that only asks, and has no body.
pub(crate) struct Replay(Request<()>);

impl Replay {
    /// A copy of `request`, if it may be sent again.
    pub(crate) fn new(request: &Request<Body>) -> Option<Self> {
        use http_body::Body as _;
        let only_asks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        if !(only_asks && request.body().is_end_stream()) {
            return None;
        }
        let mut copy = Request::new(());
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        copy.headers_mut().clone_from(request.headers());
        Some(Self(copy))
    }

    pub(crate) fn into_request(self) -> Request<Body> {
        self.0.map(|()| empty_body())
    }
}
