//! The transactional outbox: `dapr/pkg/runtime/pubsub/outbox.go`.
//!
//! A transaction of a store with an outbox publishes what it writes. First its messages go to an internal topic; the
//! transaction then writes a marker for each. A subscription of the sidecar to that topic publishes a message once its
//! marker is there, and deletes it. So a message follows if, and only if, its transaction succeeds.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::binding::DeliveryError;
use dapr_building_blocks::pubsub::{Message, MessageHandler, SubscribeRequest};
use dapr_building_blocks::state::{DeleteRequest, GetRequest, Operation, SetRequest};
use dapr_building_blocks::{Metadata, Properties, StateStore};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::pubsub::{Broker, cloud_event};
use crate::{Backoff, Components, PublishError, Sidecar};

/// Time in which the marker of a message has to appear.
const MARKER_TIMEOUT: Duration = Duration::from_secs(10);

/// First and longest delay between two looks for a marker.
const FIRST_DELAY: Duration = Duration::from_millis(20);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Metadata of an operation whose value is published instead of the one that is written.
const PROJECTION: &str = "outbox.projection";

/// Destination of the transactions of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// Broker and topic of the messages.
    publish_pubsub: String,
    publish_topic: String,
    /// Broker of the internal topic.
    pubsub: String,
    /// Messages without a marker are dropped; otherwise their broker delivers them again.
    discards: bool,
}

impl Outbox {
    /// Reads `outboxPublishPubsub` and the properties that belong to it.
    ///
    /// # Errors
    /// When the topic is missing.
    pub(crate) fn from_properties(properties: &Properties) -> Result<Option<Self>, String> {
        let text = |name: &str| properties.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let Some(publish_pubsub) = text("outboxPublishPubsub") else { return Ok(None) };
        let publish_topic = text("outboxPublishTopic").ok_or("outboxPublishTopic is missing")?;
        let pubsub = text("outboxPubsub").unwrap_or_else(|| publish_pubsub.clone());
        let discards = text("outboxDiscardWhenMissingState").is_some_and(|text| is_true(&text));
        Ok(Some(Self { publish_pubsub, publish_topic, pubsub, discards }))
    }

    /// Returns the internal topic.
    fn topic(&self, app_id: &str, namespace: &str) -> String {
        format!("{namespace}{app_id}{}outbox", self.publish_topic)
    }
}

/// Returns whether Dapr takes a property as true: `kit/utils.IsTruthy`.
fn is_true(text: &str) -> bool {
    ["y", "yes", "true", "t", "on", "1"].contains(&text.trim().to_ascii_lowercase().as_str())
}

/// Separates projections from operations: the operations that are written, and for each write what it publishes.
fn projected(operations: Vec<Operation>) -> (Vec<Operation>, Vec<SetRequest>) {
    let is_projection = |operation: &mut Operation| {
        let Operation::Upsert(request) = operation else { return false };
        request.metadata.get(PROJECTION).is_some_and(|value| is_true(value))
    };
    let mut operations = operations;
    let projections: Vec<_> = operations.extract_if(.., is_projection).collect();
    let mut published = Vec::new();
    for operation in &operations {
        let Operation::Upsert(written) = operation else { continue };
        let of = |projection: &Operation| match projection {
            Operation::Upsert(request) if request.key == written.key => {
                let (value, own) = (request.value.clone(), request.metadata.get("contentType").cloned());
                let mut metadata = written.metadata.clone();
                metadata.extend(own.map(|own| ("contentType".to_owned(), own)));
                Some(SetRequest { value, metadata, ..written.clone() })
            }
            _ => None,
        };
        published.push(projections.iter().rev().find_map(of).unwrap_or_else(|| written.clone()));
    }
    (operations, published)
}

/// Returns the bytes and the content type of a value, as it is published.
fn payload(request: &SetRequest) -> (Bytes, String) {
    let content_type = request.metadata.get("contentType").cloned().unwrap_or_default();
    if content_type.eq_ignore_ascii_case("application/json") {
        return (request.value.clone(), content_type);
    }
    // A value that is a text in JSON is published as that text.
    match serde_json::from_slice(&request.value) {
        Ok(Value::String(text)) => (text.into(), content_type),
        _ => (request.value.clone(), content_type),
    }
}

impl Sidecar {
    /// Sends the messages of a transaction to the internal topic, and returns the operations with their markers.
    ///
    /// # Errors
    /// When the broker does not take a message; then the transaction must not take place.
    pub(super) async fn fill_outbox(
        &self,
        outbox: &Outbox,
        operations: Vec<Operation>,
    ) -> Result<Vec<Operation>, PublishError> {
        let (mut operations, published) = projected(operations);
        let topic = outbox.topic(self.app_id(), self.components().namespace());
        for request in published {
            let (id, (data, content_type)) = (format!("outbox-{}", uuid::Uuid::new_v4()), payload(&request));
            let metadata: Metadata = request.metadata.clone();
            let event = cloud_event::of_outbox(self.app_id(), &outbox.pubsub, &id, &data, &content_type, &metadata);
            let message = Message { topic: topic.clone(), data: event.into(), ..Message::default() };
            self.publish_message(&outbox.pubsub, message).await?;
            let marker = SetRequest { key: id, value: Bytes::from_static(b"\"0\""), ..SetRequest::default() };
            operations.push(Operation::Upsert(marker));
        }
        Ok(operations)
    }

    /// Publishes the messages of the outboxes of all stores, of later ones, too, until `shutdown`.
    pub async fn relay_outboxes(self: Arc<Self>, shutdown: CancellationToken) {
        let mut changes = self.component_changes();
        let mut running: Vec<Running> = Vec::new();
        loop {
            let components = changes.borrow_and_update().clone();
            let wanted: Vec<_> = self.relays(&components).collect();
            for ended in running.extract_if(.., |running| !wanted.iter().any(|wanted| running.is(wanted))) {
                ended.end.cancel();
            }
            for (broker, relay) in wanted {
                if !running.iter().any(|running| running.is(&(broker.clone(), relay.clone()))) {
                    let topic = relay.outbox.topic(self.app_id(), components.namespace());
                    let end = shutdown.child_token();
                    running.push(Running { broker: broker.clone(), relay: relay.clone(), end: end.clone() });
                    tokio::spawn(relay.run(broker, topic, end));
                }
            }
            if !matches!(shutdown.run_until_cancelled(changes.changed()).await, Some(Ok(()))) {
                return;
            }
        }
    }

    /// Returns a relay for each store with an outbox whose broker exists.
    fn relays(self: &Arc<Self>, components: &Components) -> impl Iterator<Item = (Broker, Relay)> {
        components.state.outboxes().filter_map(|(name, store, outbox)| {
            let Some(broker) = components.pubsub.broker(&outbox.pubsub) else {
                tracing::warn!(app = self.app_id(), store = name, pubsub = outbox.pubsub, "no broker for the outbox");
                return None;
            };
            let relay = Relay { sidecar: self.clone(), store: store.clone(), outbox: outbox.clone() };
            Some((broker.clone(), relay))
        })
    }
}

/// A relay that was started.
struct Running {
    broker: Broker,
    relay: Relay,
    /// Ends it.
    end: CancellationToken,
}

impl Running {
    fn is(&self, (broker, relay): &(Broker, Relay)) -> bool {
        let is_same_store = Arc::ptr_eq(&self.relay.store, &relay.store) && self.relay.outbox == relay.outbox;
        is_same_store && Arc::ptr_eq(&self.broker.pubsub, &broker.pubsub)
    }
}

/// Publishes the messages of an internal topic once their transactions have taken place.
#[derive(Clone)]
struct Relay {
    sidecar: Arc<Sidecar>,
    store: Arc<dyn StateStore>,
    outbox: Arc<Outbox>,
}

#[async_trait]
impl MessageHandler for Relay {
    async fn handle(&self, message: Message) -> Result<(), DeliveryError> {
        let failed = |why: &dyn Display| DeliveryError(format!("a message of the outbox: {why}").into());
        let mut event: Value = serde_json::from_slice(&message.data).map_err(|error| failed(&error))?;
        let id = event.get("id").and_then(Value::as_str).ok_or_else(|| failed(&"it has no id"))?.to_owned();
        let Outbox { publish_pubsub, publish_topic, discards, .. } = &*self.outbox;
        if let Err(why) = self.marker(&id).await {
            tracing::error!(app = self.sidecar.app_id(), id, why, discarded = discards, "outbox: no such transaction");
            return if *discards { Ok(()) } else { Err(failed(&why)) };
        }
        let members = event.as_object_mut().ok_or_else(|| failed(&"it is no object"))?;
        members.insert("topic".to_owned(), publish_topic.as_str().into());
        members.insert("pubsubname".to_owned(), publish_pubsub.as_str().into());
        let content_type = members.get("datacontenttype").and_then(Value::as_str).map(str::to_owned);
        let data = go_compat::write(&event).into();
        let message = Message { topic: publish_topic.clone(), data, content_type, ..Message::default() };
        self.sidecar.publish_message(publish_pubsub, message).await.map_err(|error| failed(&error))?;
        let delete = DeleteRequest { key: id, ..DeleteRequest::default() };
        self.store.delete(delete).await.map_err(|error| failed(&error))
    }
}

impl Relay {
    /// Takes the messages of the internal topic until `end`; tries again until the broker takes the subscription.
    async fn run(self, broker: Broker, topic: String, end: CancellationToken) {
        let (sidecar, mut backoff) = (self.sidecar.clone(), Backoff::default());
        let handler: Arc<dyn MessageHandler> = Arc::new(self);
        loop {
            let request = SubscribeRequest { topic: broker.topic(&topic), batch: 1, ..SubscribeRequest::default() };
            match broker.pubsub.subscribe(request, handler.clone(), end.clone()).await {
                Ok(deliveries) => {
                    sidecar.deliveries.spawn(deliveries);
                    return;
                }
                Err(error) => tracing::error!(app = sidecar.app_id(), topic, %error, "outbox not delivered; retrying"),
            }
            if end.run_until_cancelled(tokio::time::sleep(backoff.next_delay())).await.is_none() {
                return;
            }
        }
    }

    /// Waits for a marker.
    async fn marker(&self, key: &str) -> Result<(), String> {
        let (mut delay, mut why) = (FIRST_DELAY, String::new());
        let look = async {
            loop {
                match self.store.get(GetRequest { key: key.to_owned(), ..GetRequest::default() }).await {
                    Ok(Some(_)) => return,
                    Ok(None) => why = "its marker is not in the store".to_owned(),
                    Err(error) => why = error.to_string(),
                }
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(MAX_DELAY);
            }
        };
        let found = tokio::time::timeout(MARKER_TIMEOUT, look).await;
        found.map_err(|_| why)
    }
}

#[cfg(test)]
mod tests;
