//! Published messages as CloudEvents: any payload, content type and metadata. A subscriber finds the topic and the data again.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dapr_building_blocks::Metadata;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

#[path = "../../crates/dapr-runtime/src/pubsub/cloud_event.rs"]
mod cloud_event;
#[allow(dead_code, reason = "bulk publishing uses all of it")]
#[path = "../../crates/dapr-runtime/src/pubsub/content_type.rs"]
mod content_type;

use cloud_event::Origin;

/// Content types with a treatment of their own, beside arbitrary ones.
const CONTENT_TYPES: [&str; 5] =
    ["", "application/json", "application/cloudevents+json", "application/octet-stream", "text/plain; charset=utf-8"];

/// Names of metadata with a meaning, beside arbitrary ones.
const NAMES: [&str; 6] =
    ["ttl", "ttlInSeconds", "cloudevent.id", "cloudevent.traceparent", "cloudevent.type", "cloudevent.time"];

type Input = (u8, String, Vec<(u8, String, String)>, (String, String), Vec<u8>);

fuzz_target!(|input: Input| {
    let (chosen, other, metadata, trace, data) = input;
    let content_type = CONTENT_TYPES.get(usize::from(chosen)).map_or(other.as_str(), |it| *it);
    let _ = content_type::is_text(content_type);
    let metadata: Metadata = metadata
        .into_iter()
        .map(|(chosen, other, value)| (NAMES.get(usize::from(chosen)).map_or(other, |it| (*it).to_owned()), value))
        .collect();
    let origin = Origin { app_id: "app", pubsub: "pubsub", topic: "topic", trace: &trace };
    let time_to_live = cloud_event::time_to_live(&metadata);
    let Ok(text) = cloud_event::create(&origin, &data, content_type, &metadata, time_to_live) else {
        assert!(content_type::is_cloud_event(content_type), "{content_type:?} is an error");
        return;
    };
    // Deep nesting is an error for subscribers that are told so, as `serde_json` is in the host.
    let Ok(event) = serde_json::from_str::<Map<String, Value>>(&text) else {
        let is_whole = go_compat::decode_precise(text.as_bytes()).is_ok_and(|it| it.kind() == "object");
        assert!(is_whole, "not an event: {text}");
        return;
    };
    for (name, expected) in [("topic", "topic"), ("pubsubname", "pubsub")] {
        assert_eq!(event.get(name).and_then(Value::as_str), Some(expected), "{name} of {text}");
    }
    assert!(event.get("specversion").is_some_and(|it| !it.is_null()), "{text}");
    if content_type::is_binary(content_type) {
        let encoded = event.get("data_base64").and_then(Value::as_str).expect("the bytes");
        assert_eq!(STANDARD.decode(encoded).expect("base64"), data);
    }
    let _ = cloud_event::has_expired(&event);
    let raw = cloud_event::from_raw_payload(&data, "topic", "pubsub", &metadata);
    assert!(raw.contains_key("data_base64"));
});
