//! Delivery of several messages at once: `dapr/pkg/runtime/subscription/bulksubscription.go`,
//! `pkg/runtime/pubsub/default_bulksub.go` and `DeliverBulk` in `.../postman/http/http.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dapr_building_blocks::Metadata;
use dapr_building_blocks::binding::DeliveryError;
use dapr_building_blocks::pubsub::{BulkEntry, Message, MessageHandler};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::subscription::{Deliverer, PUBSUB_NAME, Rejection, read, trace_header};
use super::{BulkSubscribe, Subscription, cloud_event, content_type, is_raw_payload, routing};
use crate::calls::{CallTarget, Outcome};
use crate::resiliency::{ComponentKind, Interruption, Verdict};

/// Collects messages of a subscription, and delivers them together.
pub(super) struct Collector(mpsc::Sender<Pending>);

/// Outcomes by entry id.
type Outcomes = BTreeMap<String, Result<(), String>>;

/// A message that waits for its delivery.
struct Pending {
    message: Message,
    done: oneshot::Sender<Result<(), String>>,
}

#[async_trait]
impl MessageHandler for Collector {
    async fn handle(&self, message: Message) -> Result<(), DeliveryError> {
        let (done, outcome) = oneshot::channel();
        let ended = || DeliveryError("the subscription has ended".into());
        self.0.send(Pending { message, done }).await.map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?.map_err(|why| DeliveryError(why.into()))
    }
}

impl Collector {
    /// Starts deliveries. They end with the collector, and no longer wait for more once `shutdown` is cancelled.
    pub(super) fn start(deliverer: Deliverer, limits: BulkSubscribe, shutdown: CancellationToken) -> Self {
        let (sender, mut receiver) = mpsc::channel(limits.max_messages);
        tokio::spawn(async move {
            while let Some(first) = receiver.recv().await {
                let mut batch = vec![first];
                let until = Instant::now() + limits.max_await;
                while batch.len() < limits.max_messages {
                    let next = shutdown.run_until_cancelled(timeout_at(until, receiver.recv()));
                    let Some(Ok(Some(next))) = next.await else { break };
                    batch.push(next);
                }
                deliverer.deliver_all(batch).await;
            }
        });
        Self(sender)
    }
}

impl Deliverer {
    async fn deliver_all(&self, batch: Vec<Pending>) {
        let (waiting, messages): (Vec<_>, Vec<_>) = batch.into_iter().map(|it| (it.done, it.message)).unzip();
        let entry = |message| BulkEntry { entry_id: uuid::Uuid::new_v4().to_string(), message };
        let entries: Vec<_> = messages.into_iter().map(entry).collect();
        let mut outcomes = self.deliver_bulk(&entries).await;
        let mut failed = entries.clone();
        failed.retain(|entry| outcomes.get(&entry.entry_id).is_some_and(Result::is_err));
        let Subscription { pubsub, dead_letter_topic, .. } = &self.subscription;
        if !failed.is_empty() && self.sidecar.dead_letters(pubsub, dead_letter_topic, failed).await {
            outcomes.clear();
        }
        for (entry, done) in entries.iter().zip(waiting) {
            // A broker that no longer waits delivers the message again.
            let _ = done.send(outcomes.remove(&entry.entry_id).unwrap_or(Ok(())));
        }
    }

    /// Delivers entries, grouped by their routes, and returns the outcomes by entry id.
    async fn deliver_bulk(&self, entries: &[BulkEntry]) -> Outcomes {
        let mut outcomes = BTreeMap::new();
        let mut routed: BTreeMap<String, Vec<(&BulkEntry, Value)>> = BTreeMap::new();
        for entry in entries {
            match self.routed(&entry.message).await {
                Ok(Some((path, event))) => routed.entry(path).or_default().push((entry, event)),
                Ok(None) => {
                    self.drop_entry(entry).await;
                    outcomes.insert(entry.entry_id.clone(), Ok(()));
                }
                Err(why) => {
                    outcomes.insert(entry.entry_id.clone(), Err(why));
                }
            }
        }
        for (path, group) in routed {
            outcomes.extend(self.deliver_group(&path, group).await);
        }
        outcomes
    }

    /// Delivers the events of one route. Those that failed are repeated as the policy says.
    async fn deliver_group(&self, path: &str, group: Vec<(&BulkEntry, Value)>) -> Outcomes {
        let target = CallTarget::FromComponent(ComponentKind::Pubsub, &self.subscription.pubsub);
        let (mut outcomes, mut left) = (Outcomes::new(), all(&group, Ok(())));
        let narrow = |group: &mut Vec<(&BulkEntry, Value)>, delivered: &mut Delivered| {
            let Ok(attempt) = &delivered.result else { return };
            outcomes.extend(attempt.clone());
            group.retain(|(entry, _)| outcomes.get(&entry.entry_id).is_some_and(Result::is_err));
            left = all(group, Ok(()));
        };
        let call = |group| self.post_group(path, group);
        match self.sidecar.calls.run_narrowing(target, "deliver", group, call, narrow).await.result {
            Ok(last) => outcomes.extend(last),
            Err(why) => outcomes.extend(left.into_keys().map(|entry| (entry, Err(why.to_string())))),
        }
        outcomes
    }

    /// Returns the path for a message and its event, or `None` if it has expired or no rule matches.
    async fn routed(&self, message: &Message) -> Result<Option<(String, Value)>, String> {
        let Subscription { rules, metadata, .. } = &self.subscription;
        if is_raw_payload(metadata)? {
            let text = Arc::new(Value::from(String::from_utf8_lossy(&message.data).into_owned()));
            let route = routing::route_of(rules, &text, message.data.len()).await?;
            return Ok(route.map(|path| (path, STANDARD.encode(&message.data).into())));
        }
        let event = go_compat::unmarshal(&message.data).map_err(|error| error.to_string())?;
        let Value::Object(attributes) = &event else {
            return Err(go_compat::mismatch(&event, "map[string]interface {}").to_string());
        };
        if cloud_event::has_expired(attributes) {
            return Ok(None);
        }
        let event = Arc::new(event);
        let route = routing::route_of(rules, &event, message.data.len()).await?;
        Ok(route.map(|path| (path, Arc::unwrap_or_clone(event))))
    }

    async fn post_group(&self, path: &str, group: Vec<(&BulkEntry, Value)>) -> Delivered {
        let group = group.as_slice();
        let Subscription { pubsub, .. } = &self.subscription;
        let metadata = Metadata::from([(PUBSUB_NAME.to_owned(), pubsub.clone())]);
        let body = self.envelope(group, &metadata).into();
        let mut headers = metadata;
        headers.extend(group.iter().filter_map(|(_, event)| trace_header(event)));
        let response = match self.send(path, &headers, body, content_type::JSON).await {
            Ok(response) => response,
            Err(Rejection::Retriable(why) | Rejection::Status(_, why)) => return all(group, Err(why)).into(),
            Err(Rejection::Dropped) => return all(group, Ok(())).into(),
        };
        let status = response.status();
        let answer = read(response).await;
        if status == StatusCode::NOT_FOUND {
            tracing::error!(app = self.sidecar.app_id(), pubsub, path, "application has no such path; dropping events");
            return all(group, Ok(())).into();
        }
        if !status.is_success() {
            let result = Ok(all(group, Err(format!("the application answered {status}"))));
            return Delivered { result, status: Some(status) };
        }
        let statuses = match statuses(&answer) {
            Ok(statuses) => statuses,
            Err(why) => {
                let why = format!("the application's answer is no list of statuses: {why}");
                return all(group, Err(why)).into();
            }
        };
        let mut outcomes = Outcomes::new();
        for (entry, _) in group {
            let outcome = match statuses.get(&entry.entry_id).map(String::as_str) {
                Some("SUCCESS") => Ok(()),
                Some("DROP") => {
                    self.drop_entry(entry).await;
                    Ok(())
                }
                Some("" | "RETRY") => Err("the application asks for a retry".to_owned()),
                Some(other) => Err(format!("the application answered the unknown status {other:?}")),
                None => Err("the application's answer lacks its status".to_owned()),
            };
            outcomes.insert(entry.entry_id.clone(), outcome);
        }
        outcomes.into()
    }

    /// Creates the body of a delivery: `NewBulkSubscribeEnvelope`. As in Go, an entry's fields have their own order.
    fn envelope(&self, group: &[(&BulkEntry, Value)], metadata: &Metadata) -> String {
        let Subscription { pubsub, topic, metadata: own, .. } = &self.subscription;
        let default = if is_raw_payload(own) == Ok(true) { content_type::BINARY } else { content_type::CLOUD_EVENT };
        let entry = |(entry, event): &(&BulkEntry, Value)| {
            let Message { metadata, content_type, .. } = &entry.message;
            let content_type = content_type.as_deref().filter(|it| !it.is_empty()).unwrap_or(default);
            let [id, event, metadata, content_type] =
                [&json!(entry.entry_id), event, &json!(metadata), &json!(content_type)].map(go_compat::write);
            format!(r#"{{"entryId":{id},"event":{event},"metadata":{metadata},"contentType":{content_type}}}"#)
        };
        let entries = group.iter().map(entry).collect::<Vec<_>>().join(",");
        let [metadata, pubsub, topic] = [json!(metadata), json!(pubsub), json!(topic)].map(|it| go_compat::write(&it));
        let (id, kind) = (uuid::Uuid::new_v4(), "com.dapr.event.sent.bulk");
        format!(
            r#"{{"entries":[{entries}],"id":"{id}","metadata":{metadata},"pubsubname":{pubsub},"topic":{topic},"type":"{kind}"}}"#
        )
    }

    /// Sends an entry that will not be processed to the dead letter topic, if there is one.
    async fn drop_entry(&self, entry: &BulkEntry) {
        let Subscription { pubsub, topic, dead_letter_topic, .. } = &self.subscription;
        if !self.sidecar.dead_letter(pubsub, dead_letter_topic, &entry.message).await {
            tracing::warn!(app = self.sidecar.app_id(), pubsub, topic, "message dropped");
        }
    }
}

/// Outcome of one attempt at a group.
struct Delivered {
    result: Result<Outcomes, Interruption>,
    /// Status of an answer that refuses the group.
    status: Option<StatusCode>,
}

impl From<Outcomes> for Delivered {
    fn from(outcomes: Outcomes) -> Self {
        Self { result: Ok(outcomes), status: None }
    }
}

impl Outcome for Delivered {
    fn verdict(&self) -> Verdict {
        match (&self.result, self.status) {
            (_, Some(status)) => Verdict::Status(status.as_u16()),
            (Ok(outcomes), None) if outcomes.values().all(Result::is_ok) => Verdict::Success,
            _ => Verdict::Failure,
        }
    }

    fn interrupted(why: Interruption) -> Self {
        Self { result: Err(why), status: None }
    }
}

/// Returns the same outcome for every entry of a group.
fn all(group: &[(&BulkEntry, Value)], outcome: Result<(), String>) -> Outcomes {
    group.iter().map(|(entry, _)| (entry.entry_id.clone(), outcome.clone())).collect()
}

/// Reads the application's answer: the status of each entry, by its id.
fn statuses(answer: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let answer: Value = go_compat::decode(answer, "AppBulkResponse").map_err(|error| error.to_string())?;
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let items = answer.get("statuses").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(items.iter().map(|item| (text(item, "entryId"), text(item, "status"))).collect())
}
