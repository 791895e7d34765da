//! Trace context of calls.

use http::{HeaderMap, HeaderValue};

/// W3C trace context, copied from an incoming request to the calls made for it.
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

    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        // A state without a parent is meaningless.
        let Some(parent) = &self.parent else { return };
        headers.insert("traceparent", parent.clone());
        if let Some(state) = &self.state {
            headers.insert("tracestate", state.clone());
        }
    }
}
