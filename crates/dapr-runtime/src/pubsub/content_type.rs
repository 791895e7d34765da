//! Media types of messages: `components-contrib/contenttype/utils.go`.

/// Media type of a CloudEvent as JSON.
pub(super) const CLOUD_EVENT: &str = "application/cloudevents+json";
/// Media type of bytes.
pub(super) const BINARY: &str = "application/octet-stream";
/// Media type of JSON.
pub(super) const JSON: &str = "application/json";

pub(super) fn is_cloud_event(content_type: &str) -> bool {
    is(content_type, CLOUD_EVENT)
}

pub(super) fn is_json(content_type: &str) -> bool {
    is(content_type, JSON)
}

/// Returns true for bytes, and for the protocol buffer of a CloudEvent.
pub(super) fn is_binary(content_type: &str) -> bool {
    is(content_type, BINARY) || is(content_type, "application/cloudevents+protobuf")
}

pub(super) fn is_text(content_type: &str) -> bool {
    content_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
        || is(content_type, "application/xml")
}

/// Compares media types, without parameters.
fn is(content_type: &str, expected: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().eq_ignore_ascii_case(expected)
}
