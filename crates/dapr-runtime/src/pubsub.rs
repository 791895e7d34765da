//! Pub/sub: publishing with the application's topic scopes, and delivery of its subscriptions.
//!
//! Publishing follows `dapr/pkg/api/http/http.go` and `pkg/runtime/pubsub/publisher`; for deliveries see
//! [`subscription`] and [`bulk_subscription`].

mod bulk_subscription;
pub(crate) mod cloud_event;
mod content_type;
mod dead_letter;
mod errors;
mod routing;
mod subscription;
mod subscriptions;
mod topic_scopes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use bytes::Bytes;
use dapr_building_blocks::pubsub::{BulkEntry, FailedEntry, Message, PubSub, PubSubError, PubSubFeature};
use dapr_building_blocks::{Component, ComponentSpec, Metadata};
use dapr_resources::configuration::access_control::NAMESPACE;
use serde_json::Value;

use self::cloud_event::Origin;
pub use self::errors::PublishError;
pub use self::routing::Rule;
pub use self::subscriptions::{BulkSubscribe, Subscription, SubscriptionKind};
pub(crate) use self::subscriptions::{RunningSubscriptions, Subscriptions};
use self::topic_scopes::TopicScopes;
use crate::calls::{CallError as _, CallTarget, Outcome};
use crate::components::{AddError, Block};
use crate::resiliency::{ComponentKind, Interruption, Verdict};
use crate::{ApiError, Sidecar};

/// The brokers of one application, by name.
#[derive(Clone, Default)]
pub(crate) struct PubSubs(BTreeMap<String, Broker>);

/// A broker with its settings for the application.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) pubsub: Arc<dyn PubSub>,
    scopes: TopicScopes,
    /// Prefix of every topic at the broker; empty unless the component's properties name `{namespace}`.
    namespace: String,
}

impl Block for PubSubs {
    fn add(&mut self, spec: &ComponentSpec, component: &Component, namespace: &str) -> Result<Vec<String>, AddError> {
        let Some(pubsub) = component.pubsub.clone() else { return Ok(Vec::new()) };
        let capabilities = pubsub.features().iter().map(|feature| feature.as_str().to_owned()).collect();
        let scopes = TopicScopes::from_properties(&spec.properties);
        let namespace = match (spec.names_namespace, namespace) {
            (false, _) => "",
            (true, "") => NAMESPACE,
            (true, namespace) => namespace,
        };
        self.0.insert(spec.name.clone(), Broker { pubsub, scopes, namespace: namespace.to_owned() });
        Ok(capabilities)
    }
}

impl PubSubs {
    /// Returns the broker `name`.
    pub(crate) fn broker(&self, name: &str) -> Option<&Broker> {
        self.0.get(name)
    }
}

impl Broker {
    /// Returns the name of `topic` at the broker.
    pub(crate) fn topic(&self, topic: &str) -> String {
        format!("{}{topic}", self.namespace)
    }

    /// Returns the application's name of a `topic` of the broker.
    fn app_topic(&self, topic: &str) -> String {
        if self.namespace.is_empty() { topic.to_owned() } else { topic.replacen(&self.namespace, "", 1) }
    }
}

/// Entries of a bulk request that the broker did not take.
struct BulkPublished(Result<Vec<FailedEntry>, Interruption>);

impl Outcome for BulkPublished {
    fn unavailable(&self) -> Option<&dyn Display> {
        self.0.as_ref().ok()?.iter().find_map(|failed| failed.error.unavailable())
    }

    fn verdict(&self) -> Verdict {
        if matches!(&self.0, Ok(failed) if failed.is_empty()) { Verdict::Success } else { Verdict::Failure }
    }

    fn interrupted(why: Interruption) -> Self {
        Self(Err(why))
    }
}

/// A message that the application publishes.
#[derive(Clone, Debug, Default)]
pub struct PublishRequest {
    /// Topic of the message.
    pub topic: String,
    /// Payload.
    pub data: Bytes,
    /// Media type of the payload; empty if unknown.
    pub content_type: String,
    /// Metadata of the request.
    pub metadata: Metadata,
    /// Trace of the request: `traceparent` and `tracestate`.
    pub trace: (String, String),
}

/// An entry of a bulk request: `bulkPublishMessageEntry`.
#[derive(Clone, Debug, Default)]
pub struct PublishEntry {
    /// Id, unique within the request.
    pub entry_id: String,
    /// Event: text, base64 of bytes or JSON, as the content type says.
    pub event: Value,
    /// Media type of the event.
    pub content_type: String,
    /// Metadata of the entry, if any.
    pub metadata: Option<Metadata>,
}

/// A failed bulk request.
#[derive(Debug)]
pub enum BulkPublishError {
    /// Nothing was published.
    Rejected(ApiError),
    /// The broker did not take these entries: ids and causes.
    Failed(Vec<(String, String)>),
}

impl From<ApiError> for BulkPublishError {
    fn from(error: ApiError) -> Self {
        Self::Rejected(error)
    }
}

impl Sidecar {
    /// Publishes a message, as a CloudEvent unless its metadata has `rawPayload`.
    ///
    /// # Errors
    /// When the broker is unknown or fails, the topic is not allowed, or the message is malformed.
    pub async fn publish(&self, pubsub: &str, request: PublishRequest) -> Result<(), ApiError> {
        let features = self.check_topic(pubsub, &request.topic, &request.metadata)?;
        let is_raw = self.is_raw_payload(pubsub, &request.metadata)?;
        let PublishRequest { topic, mut data, content_type, metadata, trace } = request;
        if !is_raw {
            let origin = Origin { app_id: self.app_id(), pubsub, topic: &topic, trace: &trace };
            data = self.cloud_event(&features, &origin, &data, &content_type, &metadata)?;
        }
        let message = Message { topic: topic.clone(), data, metadata, content_type: None };
        self.publish_message(pubsub, message).await.map_err(|error| ApiError::publish(pubsub, &topic, &error))
    }

    /// Publishes several messages to one topic. The metadata of the request holds for entries that have some, too.
    ///
    /// # Errors
    /// As [`publish`](Self::publish), and where the broker does not take some entries.
    pub async fn bulk_publish(
        &self,
        pubsub: &str,
        topic: &str,
        entries: Vec<PublishEntry>,
        metadata: &Metadata,
        trace: &(String, String),
    ) -> Result<(), BulkPublishError> {
        let features = self.check_topic(pubsub, topic, metadata)?;
        let is_raw = self.is_raw_payload(pubsub, metadata)?;
        let (mut messages, mut ids) = (Vec::with_capacity(entries.len()), BTreeSet::new());
        for entry in entries {
            let PublishEntry { entry_id, event, content_type, metadata: own } = entry;
            let data = event_bytes(&event, &content_type)
                .map_err(|why| ApiError::bulk_event_mismatch(pubsub, topic, self.app_id(), why))?;
            if entry_id.is_empty() || !ids.insert(entry_id.clone()) {
                return Err(ApiError::bulk_entry_id(pubsub, topic, self.app_id()).into());
            }
            let metadata = own.map(|own| metadata.clone().into_iter().chain(own).collect()).unwrap_or_default();
            let content_type = Some(content_type);
            let message = Message { topic: topic.to_owned(), data, metadata, content_type };
            messages.push(BulkEntry { entry_id, message });
        }
        if !is_raw {
            let origin = Origin { app_id: self.app_id(), pubsub, topic, trace };
            for BulkEntry { message, .. } in &mut messages {
                let content_type = message.content_type.as_deref().unwrap_or_default();
                message.data = self.cloud_event(&features, &origin, &message.data, content_type, &message.metadata)?;
            }
        }
        let failed = self.publish_messages(pubsub, topic, messages).await;
        let failed = failed.map_err(|error| ApiError::publish(pubsub, topic, &error))?;
        if failed.is_empty() {
            return Ok(());
        }
        Err(BulkPublishError::Failed(failed.into_iter().map(|it| (it.entry_id, it.error.to_string())).collect()))
    }

    /// Returns the broker's features, if it exists and the topic is not empty.
    ///
    /// # Errors
    /// As `validateAndGetPubsubAndTopic`.
    pub fn check_topic(&self, pubsub: &str, topic: &str, metadata: &Metadata) -> Result<Vec<PubSubFeature>, ApiError> {
        let components = self.components();
        let PubSubs(brokers) = &components.pubsub;
        let broker = brokers.get(pubsub).ok_or_else(|| ApiError::pubsub_not_found(pubsub, metadata.clone()))?;
        if topic.is_empty() {
            return Err(ApiError::topic_empty(pubsub, metadata.clone()));
        }
        Ok(broker.pubsub.features().to_vec())
    }

    fn is_raw_payload(&self, pubsub: &str, metadata: &Metadata) -> Result<bool, ApiError> {
        is_raw_payload(metadata).map_err(|why| ApiError::pubsub_metadata(pubsub, metadata.clone(), why))
    }

    fn cloud_event(
        &self,
        features: &[PubSubFeature],
        origin: &Origin<'_>,
        data: &[u8],
        content_type: &str,
        metadata: &Metadata,
    ) -> Result<Bytes, ApiError> {
        let is_own = !features.contains(&PubSubFeature::MessageTtl);
        let time_to_live = cloud_event::time_to_live(metadata).filter(|_| is_own);
        let event = cloud_event::create(origin, data, content_type, metadata, time_to_live);
        event.map(Bytes::from).map_err(|why| ApiError::cloud_event(origin.pubsub, self.app_id(), why))
    }

    /// Publishes a message as it is.
    pub(crate) async fn publish_message(&self, pubsub: &str, mut message: Message) -> Result<(), PublishError> {
        let broker = self.publisher(pubsub, &message.topic)?;
        message.topic = broker.topic(&message.topic);
        let target = CallTarget::Component(ComponentKind::Pubsub, pubsub);
        Ok(self.calls.run(target, "publish", message, |message| broker.pubsub.publish(message)).await?)
    }

    /// Publishes messages to one topic as they are, and returns those that failed.
    async fn publish_messages(
        &self,
        pubsub: &str,
        topic: &str,
        mut entries: Vec<BulkEntry>,
    ) -> Result<Vec<FailedEntry>, PublishError> {
        let broker = self.publisher(pubsub, topic)?;
        for entry in &mut entries {
            entry.message.topic = broker.topic(topic);
        }
        let target = CallTarget::Component(ComponentKind::Pubsub, pubsub);
        let call = |entries| async { BulkPublished(Ok(broker.pubsub.bulk_publish(entries).await)) };
        let mut left: Vec<String> = entries.iter().map(|entry| entry.entry_id.clone()).collect();
        let narrow = |entries: &mut Vec<BulkEntry>, outcome: &mut BulkPublished| {
            let BulkPublished(Ok(failed)) = outcome else { return };
            left = failed.iter().map(|failed| failed.entry_id.clone()).collect();
            entries.retain(|entry| left.contains(&entry.entry_id));
        };
        let BulkPublished(outcome) = self.calls.run_narrowing(target, "bulkPublish", entries, call, narrow).await;
        Ok(outcome.unwrap_or_else(|why| {
            let failed = |entry_id| FailedEntry { entry_id, error: PubSubError::interrupted(why) };
            left.into_iter().map(failed).collect()
        }))
    }

    /// Returns the broker `pubsub`, if the application may publish to `topic`.
    fn publisher(&self, pubsub: &str, topic: &str) -> Result<Broker, PublishError> {
        let components = self.components();
        let PubSubs(brokers) = &components.pubsub;
        let broker = brokers.get(pubsub).ok_or_else(|| PublishError::NotFound(pubsub.to_owned()))?;
        if !broker.scopes.may_publish(self.app_id(), topic) {
            return Err(PublishError::Forbidden { topic: topic.to_owned(), app_id: self.app_id().to_owned() });
        }
        Ok(broker.clone())
    }
}

/// Reads `rawPayload`, as Go's `strconv.ParseBool`.
fn is_raw_payload(metadata: &Metadata) -> Result<bool, String> {
    match metadata.get("rawPayload").map(String::as_str) {
        None | Some("" | "0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
        Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
        Some(other) => Err(format!("rawPayload value must be a valid boolean: actual is '{other}'")),
    }
}

/// Returns the bytes of an entry's event: `ConvertEventToBytes` in `dapr/pkg/api/http/util.go`.
fn event_bytes(event: &Value, content_type: &str) -> Result<Bytes, String> {
    const MISMATCH: &str = "error: mismatch between contentType and event";
    let text = || event.as_str().ok_or_else(|| MISMATCH.to_owned());
    let illegal = |error| {
        let (DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) | DecodeError::InvalidLength(at)) =
            error
        else {
            return error.to_string();
        };
        format!("illegal base64 data at input byte {at}")
    };
    if content_type.split(';').next().is_some_and(|it| it.eq_ignore_ascii_case(content_type::BINARY)) {
        let decoded = STANDARD.decode(text()?).map_err(illegal).map(Bytes::from);
        // The misspelling is Dapr's.
        return decoded.map_err(|why| format!("error: unable to decode base64 application/octect-stream data: {why}"));
    }
    if content_type::is_text(content_type) {
        return Ok(Bytes::from(text()?.to_owned()));
    }
    if content_type::is_json(content_type) || content_type::is_cloud_event(content_type) {
        return Ok(go_compat::write(event).into());
    }
    Err(MISMATCH.to_owned())
}

#[cfg(test)]
mod tests;
