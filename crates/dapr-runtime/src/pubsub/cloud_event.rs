//! CloudEvents of published messages: `dapr/pkg/runtime/pubsub/cloudevents.go` and
//! `components-contrib/pubsub/envelope.go`.
//!
//! An event has the attributes of the [CloudEvents specification](https://cloudevents.io) 1.0 and Dapr's own: `topic`,
//! `pubsubname`, `traceid`, `traceparent`, `tracestate`, `expiration`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dapr_building_blocks::{Metadata, go_duration};
use go_compat::{JsonError, Precise};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::content_type;

/// Attribute with the time at which a message expires, for brokers without a time to live.
const EXPIRATION: &str = "expiration";
/// Type and source of an event whose publisher gives none.
const DEFAULT_TYPE: &str = "com.dapr.event.sent";
const DEFAULT_SOURCE: &str = "Dapr";
const SPEC_VERSION: &str = "1.0";

/// Publisher, topic and trace of a message.
pub(super) struct Origin<'a> {
    pub(super) app_id: &'a str,
    pub(super) pubsub: &'a str,
    pub(super) topic: &'a str,
    /// `traceparent` and `tracestate`; each is empty without one.
    pub(super) trace: &'a (String, String),
}

/// Creates the event of a published message, as JSON. `time_to_live` makes it expire.
///
/// A payload that is a CloudEvent itself keeps its attributes; others are made, or come from `metadata`.
///
/// # Errors
/// When the payload claims to be a CloudEvent and is not.
pub(super) fn create(
    origin: &Origin<'_>,
    data: &[u8],
    content_type: &str,
    metadata: &Metadata,
    time_to_live: Option<Duration>,
) -> Result<String, JsonError> {
    let mut event = match content_type::is_cloud_event(content_type) {
        true => complete(origin, data)?,
        false => envelope(origin, data, content_type, metadata, Map::new()),
    };
    if let (Some(time_to_live), Some(members)) = (time_to_live, event.members()) {
        members.insert(EXPIRATION.to_owned(), rfc3339(after(time_to_live)).into());
    }
    Ok(event.write())
}

/// Creates the event of a value that a transaction writes. All of its `metadata` are attributes, but for its data and id.
pub(crate) fn of_outbox(
    app_id: &str,
    pubsub: &str,
    id: &str,
    data: &[u8],
    content_type: &str,
    metadata: &Metadata,
) -> String {
    let origin = Origin { app_id, pubsub, topic: "", trace: &Default::default() };
    let own = Metadata::from([("cloudevent.id".to_owned(), id.to_owned())]);
    let others = metadata.iter().filter(|(name, _)| !["data", "id"].contains(&name.as_str()));
    let others = others.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    envelope(&origin, data, content_type, &own, others).write()
}

/// Creates an event with the attributes `others`, which outweigh its own.
fn envelope(
    origin: &Origin<'_>,
    data: &[u8],
    content_type: &str,
    metadata: &Metadata,
    others: Map<String, Value>,
) -> Precise {
    let overridden = |name: &str| {
        let is_its = |key: &str| key.strip_prefix("cloudevent.").is_some_and(|rest| rest.eq_ignore_ascii_case(name));
        let found = metadata.iter().find(|(key, _)| is_its(&key.to_ascii_lowercase()));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let content_type = if content_type.is_empty() { "text/plain" } else { content_type };
    let (parent, state) = origin.trace;
    let trace = overridden("traceparent").or(overridden("traceid")).unwrap_or(parent);
    let id = overridden("id").map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
    let mut members: Map<String, Value> = [
        ("id", id.as_str()),
        ("specversion", SPEC_VERSION),
        ("datacontenttype", content_type),
        ("source", overridden("source").unwrap_or(origin.app_id)),
        ("type", overridden("type").unwrap_or(DEFAULT_TYPE)),
        ("topic", origin.topic),
        ("pubsubname", origin.pubsub),
        ("traceid", trace),
        ("traceparent", trace),
        ("tracestate", overridden("tracestate").unwrap_or(state)),
        ("time", rfc3339(Timestamp::now()).as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect();
    if let Some(subject) = overridden("subject") {
        members.insert("subject".to_owned(), subject.into());
    }
    members.extend(others);
    let text = || Precise::text(String::from_utf8_lossy(data).into_owned());
    if content_type::is_json(content_type) {
        return go_compat::decode_precise(data).unwrap_or_else(|_| text()).into_member("data", members);
    }
    if content_type::is_binary(content_type) {
        return Precise::text(STANDARD.encode(data)).into_member("data_base64", members);
    }
    text().into_member("data", members)
}

/// Completes an event that the publisher has made.
fn complete(origin: &Origin<'_>, data: &[u8]) -> Result<Precise, JsonError> {
    let mut event = go_compat::decode_precise(data)?;
    let kind = event.kind();
    let Some(members) = event.members() else {
        let message = format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}");
        return Err(JsonError(message));
    };
    members.entry("time").or_insert_with(|| rfc3339(Timestamp::now()).into());
    let (parent, state) = origin.trace;
    if !members.contains_key("traceid") {
        members.insert("traceid".to_owned(), parent.as_str().into());
        members.insert("traceparent".to_owned(), parent.as_str().into());
    }
    members.entry("tracestate").or_insert_with(|| state.as_str().into());
    members.insert("topic".to_owned(), origin.topic.into());
    members.insert("pubsubname".to_owned(), origin.pubsub.into());
    for (name, default) in [("source", DEFAULT_SOURCE), ("type", DEFAULT_TYPE), ("specversion", SPEC_VERSION)] {
        let value = members.entry(name).or_insert(Value::Null);
        if value.is_null() {
            *value = default.into();
        }
    }
    Ok(event)
}

/// Creates the event of a message that is raw bytes, for a subscription with `rawPayload`.
pub(super) fn from_raw_payload(data: &[u8], topic: &str, pubsub: &str, metadata: &Metadata) -> Map<String, Value> {
    let mut event: Map<String, Value> = [
        ("id", uuid::Uuid::new_v4().to_string().as_str()),
        ("specversion", SPEC_VERSION),
        ("datacontenttype", "application/octet-stream"),
        ("source", DEFAULT_SOURCE),
        ("type", DEFAULT_TYPE),
        ("topic", topic),
        ("pubsubname", pubsub),
        ("data_base64", STANDARD.encode(data).as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect();
    for (from, to) in [
        ("traceid", "traceid"),
        ("traceparent", "traceparent"),
        // The newer attribute outweighs the older.
        ("traceparent", "traceid"),
        ("tracestate", "tracestate"),
    ] {
        if let Some(value) = metadata.get(from) {
            event.insert(to.to_owned(), value.as_str().into());
        }
    }
    event
}

/// Returns true if the event's time to live is over. A time that cannot be read is ignored.
pub(super) fn has_expired(event: &Map<String, Value>) -> bool {
    let expiration = event.get(EXPIRATION).and_then(Value::as_str);
    expiration.and_then(|text| text.parse::<Timestamp>().ok()).is_some_and(|time| time < Timestamp::now())
}

/// Reads the time to live of a message: `ttl` or `ttlInSeconds`, a duration or a number of seconds.
///
/// One that cannot be read is ignored, as in Dapr.
pub(super) fn time_to_live(metadata: &Metadata) -> Option<Duration> {
    let named = |name: &str| metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let text = named("ttl").or_else(|| named("ttlInSeconds")).filter(|text| !text.is_empty())?;
    match go_duration::parse(text) {
        Ok(nanos) => Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))),
        Err(_) => text.parse::<u64>().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs),
    }
}

/// Returns the time after `duration`, at most Go's last one.
fn after(duration: Duration) -> Timestamp {
    /// The longest duration of Go, about 292 years.
    const LONGEST: Duration = Duration::from_nanos(i64::MAX.unsigned_abs());
    Timestamp::now().checked_add(duration.min(LONGEST)).unwrap_or(Timestamp::MAX)
}

/// Formats whole seconds like Go's `time.RFC3339`.
fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(content_type: &str, data: &str, metadata: &[(&str, &str)]) -> String {
        let trace = ("00-1".to_owned(), String::new());
        let origin = Origin { app_id: "app", pubsub: "p", topic: "t", trace: &trace };
        let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        create(&origin, data.as_bytes(), content_type, &metadata, time_to_live(&metadata)).unwrap()
    }

    fn created(content_type: &str, data: &str, metadata: &[(&str, &str)]) -> Map<String, Value> {
        serde_json::from_str(&event(content_type, data, metadata)).unwrap()
    }

    #[test]
    fn data_follows_the_content_type() {
        assert_eq!(created("application/json", r#"{"a":[1]}"#, &[])["data"], serde_json::json!({"a": [1]}));
        assert_eq!(created("application/json; charset=utf-8", "{", &[])["data"], "{");
        assert_eq!(created("", "plain", &[])["data"], "plain");
        assert_eq!(created("", "plain", &[])["datacontenttype"], "text/plain");
        assert_eq!(created("application/octet-stream", "abc", &[])["data_base64"], "YWJj");
    }

    #[test]
    fn numbers_keep_their_digits() {
        let event = event("application/json", r#"{"n":12345678901234567890123,"f":1.10}"#, &[]);
        assert!(event.contains(r#""data":{"f":1.10,"n":12345678901234567890123}"#), "{event}");
    }

    #[test]
    fn metadata_overrides_attributes_of_made_events() {
        let event = created(
            "text/plain",
            "x",
            &[
                ("cloudevent.id", "7"),
                ("CloudEvent.Type", "order"),
                ("cloudevent.source", "shop"),
                ("cloudevent.subject", "s"),
                ("cloudevent.traceparent", "00-2"),
            ],
        );
        for (name, expected) in
            [("id", "7"), ("type", "order"), ("source", "shop"), ("subject", "s"), ("traceid", "00-2")]
        {
            assert_eq!(event[name], expected, "{name}");
        }
    }

    #[test]
    fn publishers_own_event_is_completed() {
        let own = r#"{"id":"7","source":null,"traceid":"kept","topic":"other","data":1}"#;
        let event = created("application/cloudevents+json", own, &[("cloudevent.id", "ignored")]);
        for (name, expected) in
            [("id", "7"), ("source", "Dapr"), ("traceid", "kept"), ("topic", "t"), ("type", DEFAULT_TYPE)]
        {
            assert_eq!(event[name], expected, "{name}");
        }
        assert!(event.contains_key("time") && !event.contains_key("traceparent"));
    }

    #[test]
    fn event_expires_after_its_time_to_live() {
        assert!(!has_expired(&created("", "x", &[("ttlInSeconds", "60")])));
        assert!(created("", "x", &[("ttlInSeconds", "60")]).contains_key(EXPIRATION));
        for rubbish in ["-1", "-60", "soon"] {
            assert!(!created("", "x", &[("ttlInSeconds", rubbish)]).contains_key(EXPIRATION), "{rubbish}");
        }
        let expired = serde_json::json!({"expiration": "2020-01-01T00:00:00Z"});
        assert!(has_expired(expired.as_object().unwrap()));
        assert!(created("", "x", &[("ttlInSeconds", "9223372036854775807")]).contains_key(EXPIRATION));
    }
}
