//! Trace headers of responses: `dapr/pkg/diagnostics/http_tracing.go`, for a sidecar without traces of its own.

use dapr_building_blocks::Metadata;
use dapr_runtime::is_trace_parent;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::baggage;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const NO_TRACE: HeaderValue = HeaderValue::from_static(dapr_runtime::NO_TRACE);

/// Trace headers of a request, for its response.
pub(crate) struct Trace {
    parent: HeaderValue,
    state: Option<HeaderValue>,
    baggage: Option<String>,
}

impl Trace {
    /// Reads the trace of a request to `path`; fails for invalid baggage.
    ///
    /// Health probes have no trace.
    pub(crate) fn from_request(path: &str, headers: &HeaderMap) -> Result<Option<Self>, String> {
        if percent_decode_str(path).decode_utf8_lossy().contains("/healthz") {
            return Ok(None);
        }
        let parent = headers.get(TRACEPARENT).filter(|value| is_trace_parent(value.as_bytes()));
        let state = parent.and_then(|_| headers.get(TRACESTATE)).cloned();
        let baggage = baggage::parse(headers).map_err(|why| format!("invalid baggage header: {why}"))?;
        Ok(Some(Self { parent: parent.cloned().unwrap_or(NO_TRACE), state, baggage }))
    }

    /// Adds the trace to a response; headers set by the application stay.
    pub(crate) fn add_to(self, headers: &mut HeaderMap) {
        if let Some(baggage) = self.baggage.and_then(|baggage| HeaderValue::try_from(baggage).ok()) {
            headers.insert(baggage::NAME, baggage);
        }
        if headers.contains_key(TRACEPARENT) {
            return;
        }
        headers.insert(TRACEPARENT, self.parent);
        if let Some(state) = self.state {
            headers.insert(TRACESTATE, state);
        }
    }

    /// Returns `traceparent` and `tracestate`; each is empty without one.
    pub(crate) fn into_text(self) -> (String, String) {
        let text = |value: HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
        let parent = Some(self.parent).filter(|parent| parent != NO_TRACE);
        (parent.map(text).unwrap_or_default(), self.state.map(text).unwrap_or_default())
    }

    /// Adds the trace to an output binding's metadata, overriding the caller's own entries.
    pub(crate) fn add_to_metadata(self, metadata: &mut Metadata) {
        let text = |value: HeaderValue| value.to_str().ok().map(str::to_owned);
        let entries =
            [(TRACEPARENT, text(self.parent)), (TRACESTATE, self.state.and_then(text)), (baggage::NAME, self.baggage)];
        metadata.extend(entries.into_iter().filter_map(|(name, text)| Some((name.as_str().to_owned(), text?))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response_headers(path: &str, given: &[(&'static str, &'static str)]) -> HeaderMap {
        let given = given.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut response = HeaderMap::new();
        if let Some(trace) = Trace::from_request(path, &given.collect()).unwrap() {
            trace.add_to(&mut response);
        }
        response
    }

    #[test]
    fn trace_is_returned_or_replaced_by_zeros() {
        let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let response = response_headers("/x", &[("traceparent", known), ("tracestate", "a=1"), ("baggage", "k=v")]);
        assert_eq!(response[TRACEPARENT], known);
        assert_eq!(response[TRACESTATE], "a=1");
        assert_eq!(response[baggage::NAME], "k=v");
        assert_eq!(response_headers("/x", &[])[TRACEPARENT], NO_TRACE);
        assert_eq!(response_headers("/x", &[("traceparent", "rubbish"), ("tracestate", "a=1")]).len(), 1);
    }

    #[test]
    fn health_probes_have_no_trace() {
        assert!(response_headers("/v1.0/healthz", &[]).is_empty());
    }
}
