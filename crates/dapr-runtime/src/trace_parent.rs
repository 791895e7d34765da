//! Traces of requests and events.

/// Trace that Dapr sends where none is active.
pub const NO_TRACE: &str = "00-00000000000000000000000000000000-0000000000000000-00";

/// Returns true for a `traceparent` of [W3C Trace Context](https://www.w3.org/TR/trace-context/), section 3.2.
///
/// It has version, trace, span and flags. Trace and span are not all zeros.
#[must_use]
pub fn is_trace_parent(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'-').collect();
    let [version, trace, span, flags] = parts.as_slice() else { return false };
    let is_hex = |part: &[u8], length: usize| {
        part.len() == length && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_some = |part: &[u8]| part.iter().any(|byte| *byte != b'0');
    is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2) && is_some(trace) && is_some(span)
}
