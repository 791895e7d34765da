//! Events: parsed and validated, and as stored.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};
use service_kit::Problem;

/// Longest type, as in the column, also of tables created by the WasmEdge template.
const MAX_OP_TYPE_CHARS: usize = 50;

/// Length of a UUID with dashes.
const MAX_EVENT_ID_CHARS: usize = 36;

/// Largest integer that every JSON parser keeps exactly.
const MAX_EVENT_TS: u64 = (1 << 53) - 1;

/// Largest value of the `INT` column in tables created by the WasmEdge template.
const MAX_INPUT_SIZE: u64 = i32::MAX as u64;

/// A validated event to record, and as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEvent {
    /// Time in milliseconds since the Unix epoch.
    pub event_ts: u64,
    /// Operation.
    pub op_type: String,
    /// Size of the input in bytes.
    pub input_size: u64,
    /// Idempotency key, if the sender has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

/// A stored event. Its fields are in the order of the JSON response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Ascending number.
    #[serde(deserialize_with = "whole_number")]
    pub id: u64,
    /// Time in milliseconds since the Unix epoch.
    #[serde(deserialize_with = "whole_number")]
    pub event_ts: u64,
    /// Operation.
    pub op_type: String,
    /// Size of the input in bytes.
    #[serde(deserialize_with = "whole_number")]
    pub input_size: u64,
}

impl NewEvent {
    /// Parses an event from a request's body.
    ///
    /// # Errors
    /// 400 with the field's name, if the body is not a JSON object, or a field is missing or invalid.
    pub fn from_json(body: &[u8]) -> Result<Self, Problem> {
        let fields: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body has to be a JSON object"))?;
        Ok(Self {
            event_ts: number(&fields, "event_ts", MAX_EVENT_TS)?,
            op_type: text(&fields, "op_type", MAX_OP_TYPE_CHARS)?
                .ok_or_else(|| bad_field("op_type", "is missing".to_owned()))?,
            input_size: number(&fields, "input_size", MAX_INPUT_SIZE)?,
            event_id: text(&fields, "event_id", MAX_EVENT_ID_CHARS)?,
        })
    }
}

/// Reads a body of any media type.
///
/// Dapr passes on the sender's media type, and `curl` sends that of a form.
impl<S: Send + Sync> FromRequest<S> for NewEvent {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(|rejection| rejection.into_response())?;
        Self::from_json(&body).map_err(|problem| problem.into_response())
    }
}

fn number(fields: &Map<String, Value>, name: &'static str, most: u64) -> Result<u64, Problem> {
    let value = fields.get(name).ok_or_else(|| bad_field(name, "is missing".to_owned()))?;
    let number = value.as_u64().filter(|number| *number <= most);
    number.ok_or_else(|| bad_field(name, format!("has to be a whole number from 0 to {most}")))
}

fn text(fields: &Map<String, Value>, name: &'static str, most: usize) -> Result<Option<String>, Problem> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (1..=most).contains(&text.chars().count()) => Ok(Some(text.clone())),
        Some(_) => Err(bad_field(name, format!("has to be a text of 1 to {most} characters"))),
    }
}

fn bad_field(name: &'static str, complaint: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("{name} {complaint}")).in_field(name)
}

/// Parses a number. Some databases return it as text if the query had no parameters.
pub(crate) fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().map_err(de::Error::custom),
        value => value.as_u64().ok_or_else(|| de::Error::custom("not a whole number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(body: &str) -> String {
        NewEvent::from_json(body.as_bytes()).unwrap_err().detail().to_owned()
    }

    #[test]
    fn complete_event_is_parsed_and_sql_is_text() {
        let body = br#"{"event_ts":1,"op_type":"x'); DROP TABLE image_evts; --","input_size":0,"event_id":"k"}"#;
        let event = NewEvent::from_json(body).unwrap();
        assert_eq!(event.op_type, "x'); DROP TABLE image_evts; --");
        assert_eq!((event.event_ts, event.input_size, event.event_id.as_deref()), (1, 0, Some("k")));
    }

    #[test]
    fn missing_or_invalid_fields_are_named() {
        assert!(rejection(r#"{"op_type":"a","input_size":1}"#).starts_with("event_ts is missing"));
        assert!(rejection(r#"{"event_ts":1,"input_size":1}"#).starts_with("op_type is missing"));
        assert!(rejection(r#"{"event_ts":1,"op_type":"a"}"#).starts_with("input_size is missing"));
        assert!(rejection(r#"{"event_ts":"1","op_type":"a","input_size":1}"#).starts_with("event_ts has"));
        assert!(rejection(r#"{"event_ts":1,"op_type":"","input_size":1}"#).starts_with("op_type has"));
        assert!(rejection(r#"{"event_ts":1,"op_type":7,"input_size":1}"#).starts_with("op_type has"));
        assert!(rejection(r#"{"event_ts":1,"op_type":"a","input_size":-1}"#).starts_with("input_size has"));
        assert!(rejection(r#"{"event_ts":1,"op_type":"a","input_size":2147483648}"#).starts_with("input_size has"));
        assert!(rejection(r#"{"event_ts":9007199254740992,"op_type":"a","input_size":1}"#).starts_with("event_ts has"));
        let long = "x".repeat(51);
        assert!(
            rejection(&format!(r#"{{"event_ts":1,"op_type":"{long}","input_size":1}}"#)).starts_with("op_type has")
        );
        assert!(rejection("[]").contains("JSON object"));
        assert!(rejection("{").contains("JSON object"));
    }

    #[test]
    fn stored_event_keeps_field_order_and_accepts_text_numbers() {
        let row = r#"{"op_type":"a","id":"7","input_size":3,"event_ts":2}"#;
        let event: StoredEvent = serde_json::from_str(row).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"id":7,"event_ts":2,"op_type":"a","input_size":3}"#);
    }
}
