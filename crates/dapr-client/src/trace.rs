//! The trace that a call belongs to.

use http::{HeaderMap, HeaderValue};

/// W3C trace context, taken from a request that came in and put onto the calls made because of it.
#[derive(Debug, Clone, Default)]
pub struct TraceContext {
    parent: Option<HeaderValue>,
    state: Option<HeaderValue>,
}

impl TraceContext {
    /// Reads `traceparent` and `tracestate`; both may be absent.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self { parent: headers.get("traceparent").cloned(), state: headers.get("tracestate").cloned() }
    }

    pub(crate) fn put_onto(&self, headers: &mut HeaderMap) {
        // A state without its parent means nothing.
        let Some(parent) = &self.parent else { return };
        headers.insert("traceparent", parent.clone());
        if let Some(state) = &self.state {
            headers.insert("tracestate", state.clone());
        }
    }
}
