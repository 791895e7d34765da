//! Delivery of single messages: `dapr/pkg/runtime/subscription/subscription.go` and `.../postman/http/http.go`.
//!
//! A message becomes an event, the event's route a `POST` to the application, and its answer an acknowledgement.
//! Without an answer that accepts it, a message goes to the dead letter topic, or else back to the broker.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dapr_building_blocks::Metadata;
use dapr_building_blocks::binding::DeliveryError;
use dapr_building_blocks::middleware::full_body;
use dapr_building_blocks::pubsub::{Message, MessageHandler};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};

use super::{Broker, Subscription, cloud_event, content_type, is_raw_payload, routing};
use crate::calls::{CallError, CallTarget};
use crate::resiliency::{ComponentKind, Interruption, Verdict};
use crate::{Body, NO_TRACE, Sidecar, app_path, is_trace_parent};

/// Name of the metadata with the broker's name.
pub(super) const PUBSUB_NAME: &str = "pubsubName";
/// Prefix of metadata that holds a CloudEvent's attributes, where its payload is the data alone.
const BINARY_PREFIX: &str = "ce_";
/// Maximum size of an answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Delivers the messages of one subscription.
#[derive(Clone)]
pub(super) struct Deliverer {
    pub(super) sidecar: Arc<Sidecar>,
    pub(super) broker: Broker,
    pub(super) subscription: Subscription,
}

/// Why the application has not processed a message.
#[derive(Debug)]
pub(super) enum Rejection {
    /// It never will.
    Dropped,
    /// It may, later.
    Retriable(String),
    /// It may, later; it answered with this status.
    Status(StatusCode, String),
}

impl CallError for Rejection {
    fn verdict(&self) -> Verdict {
        match self {
            // An answer that the application means.
            Self::Dropped => Verdict::Success,
            Self::Retriable(_) => Verdict::Failure,
            Self::Status(status, _) => Verdict::Status(status.as_u16()),
        }
    }

    fn interrupted(why: Interruption) -> Self {
        Self::Retriable(why.to_string())
    }
}

/// An event with the bytes that are sent.
struct Event {
    attributes: Map<String, Value>,
    data: Bytes,
}

#[async_trait]
impl MessageHandler for Deliverer {
    async fn handle(&self, mut message: Message) -> Result<(), DeliveryError> {
        let Subscription { pubsub, .. } = &self.subscription;
        if let Some(content_type) = &message.content_type {
            message.metadata.insert("content-type".to_owned(), content_type.clone());
        }
        message.metadata.insert(PUBSUB_NAME.to_owned(), pubsub.clone());
        match self.deliver(&message).await {
            Ok(()) => Ok(()),
            Err(_) if self.dead_letter(&message).await => Ok(()),
            Err(why) => Err(DeliveryError(why.into())),
        }
    }
}

impl Deliverer {
    async fn deliver(&self, message: &Message) -> Result<(), String> {
        let Subscription { pubsub, rules, .. } = &self.subscription;
        let topic = self.broker.app_topic(&message.topic);
        let Event { attributes, data } = self.event(message, &topic)?;
        let id = attributes.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if cloud_event::has_expired(&attributes) {
            tracing::warn!(app = self.sidecar.app_id(), pubsub, topic, id, "message expired; dropping it");
            self.dead_letter(message).await;
            return Ok(());
        }
        let attributes = Arc::new(Value::Object(attributes));
        let route = routing::route_of(rules, &attributes, data.len()).await;
        let route = route.map_err(|error| format!("no route for event {id} of topic {topic}: {error}"))?;
        let Some(path) = route else {
            tracing::debug!(app = self.sidecar.app_id(), pubsub, topic, id, "no route for event; dropping it");
            self.dead_letter(message).await;
            return Ok(());
        };
        let mut headers = message.metadata.clone();
        headers.extend(trace_header(&attributes));
        let target = CallTarget::FromComponent(ComponentKind::Pubsub, pubsub);
        match self.sidecar.calls.run(target, "deliver", data, |data| self.post(&path, &headers, data)).await {
            Ok(()) => Ok(()),
            Err(Rejection::Dropped) if self.subscription.dead_letter_topic.is_empty() => Ok(()),
            Err(Rejection::Dropped) => Err(format!("event {id} of topic {topic} was dropped by the application")),
            Err(Rejection::Retriable(why) | Rejection::Status(_, why)) => {
                Err(format!("event {id} of topic {topic} not processed: {why}"))
            }
        }
    }

    fn event(&self, message: &Message, topic: &str) -> Result<Event, String> {
        let Subscription { pubsub, metadata, .. } = &self.subscription;
        if is_raw_payload(metadata)? {
            let attributes = cloud_event::from_raw_payload(&message.data, topic, pubsub, &message.metadata);
            let data = go_compat::write(&Value::Object(attributes.clone())).into();
            return Ok(Event { attributes, data });
        }
        let content_type = message.metadata.get("content-type").map_or(content_type::JSON, String::as_str);
        if content_type::is_binary(content_type) {
            return Ok(Event { attributes: binary_attributes(message, content_type), data: message.data.clone() });
        }
        let unreadable = |why: &str| format!("a message of topic {topic} is no CloudEvent: {why}");
        let mut attributes = match go_compat::unmarshal(&message.data) {
            Ok(Value::Object(attributes)) => attributes,
            Ok(other) => return Err(unreadable(&go_compat::mismatch(&other, "map[string]interface {}").0)),
            Err(error) => return Err(unreadable(&error.0)),
        };
        for name in ["traceid", "traceparent", "tracestate"] {
            if let Some(value) = message.metadata.get(name).filter(|_| !attributes.contains_key(name)) {
                attributes.insert(name.to_owned(), value.as_str().into());
            }
        }
        Ok(Event { attributes, data: message.data.clone() })
    }

    async fn dead_letter(&self, message: &Message) -> bool {
        let Subscription { pubsub, dead_letter_topic, .. } = &self.subscription;
        self.sidecar.dead_letter(pubsub, dead_letter_topic, message).await
    }

    /// Sends an event to the application, and interprets its answer.
    async fn post(&self, path: &str, metadata: &Metadata, data: Bytes) -> Result<(), Rejection> {
        let response = self.send(path, metadata, data, content_type::CLOUD_EVENT).await?;
        let status = response.status();
        let answer = read(response).await;
        match status {
            status if status.is_success() => accepted(&answer),
            StatusCode::NOT_FOUND => Err(Rejection::Dropped),
            status => {
                let why = format!("the application answered {status} {}", shown(&answer));
                Err(Rejection::Status(status, why.trim_end().to_owned()))
            }
        }
    }

    /// Sends a `POST` with `metadata` as headers.
    pub(super) async fn send(
        &self,
        path: &str,
        metadata: &Metadata,
        data: Bytes,
        content_type: &'static str,
    ) -> Result<Response<Body>, Rejection> {
        let mut request = Request::new(full_body(data));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = app_path(path).map_err(Rejection::Retriable)?.into();
        for (name, value) in metadata {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
            if name != CONTENT_LENGTH {
                request.headers_mut().insert(name, value);
            }
        }
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.sidecar.app().call(request).await.map_err(|error| Rejection::Retriable(error.to_string()))
    }
}

/// Returns the trace header for an event with a trace; as in Dapr, an invalid trace is one of zeros.
pub(super) fn trace_header(event: &Value) -> Option<(String, String)> {
    let trace = event.get("traceparent").or_else(|| event.get("traceid"))?.as_str()?;
    let trace = if is_trace_parent(trace.as_bytes()) { trace } else { NO_TRACE };
    Some(("traceparent".to_owned(), trace.to_owned()))
}

/// Reads the answer's body; one that is too long or breaks off is empty.
pub(super) async fn read(response: Response<Body>) -> Bytes {
    let (mut body, mut read) = (response.into_body(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(Ok(data)) = frame.map(Frame::into_data) else { return Bytes::new() };
        if read.len() + data.len() > MAX_ANSWER_BYTES {
            return Bytes::new();
        }
        read.extend_from_slice(&data);
    }
    read.freeze()
}

/// Returns the beginning of an answer, for log lines.
fn shown(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).chars().take(200).collect()
}

/// Interprets the body of a successful answer. One that is not `{"status": ..}` accepts the event, too.
fn accepted(answer: &[u8]) -> Result<(), Rejection> {
    let status = match go_compat::decode(answer, "AppResponse.status") {
        Ok(Value::Object(fields)) => {
            let found = fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("status"));
            found.and_then(|(_, value)| value.as_str().map(str::to_owned)).unwrap_or_default()
        }
        _ => String::new(),
    };
    match status.as_str() {
        "" | "SUCCESS" => Ok(()),
        "DROP" => Err(Rejection::Dropped),
        "RETRY" => Err(Rejection::Retriable("the application asks for a retry".to_owned())),
        other => Err(Rejection::Retriable(format!("the application answered the unknown status {other:?}"))),
    }
}

/// Returns the attributes of an event in binary mode, which are in the message's metadata.
fn binary_attributes(message: &Message, content_type: &str) -> Map<String, Value> {
    let attribute = |(name, value): (&String, &String)| {
        let name = name.to_ascii_lowercase().strip_prefix(BINARY_PREFIX)?.to_owned();
        Some((name, Value::from(value.as_str())))
    };
    let mut attributes: Map<String, Value> = message.metadata.iter().filter_map(attribute).collect();
    attributes.insert("datacontenttype".to_owned(), content_type.into());
    attributes
}
