//! `pubsub.in-memory`: messages of one application to itself, in order: `components-contrib/pubsub/in-memory` and
//! `common/eventbus`.
//!
//! As in Dapr, a subscription has one delivery at a time, which a publisher waits for before it hands over the next
//! message, and a message that is not processed is logged and lost.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dapr_building_blocks::pubsub::{
    Deliveries, Message, MessageHandler, PubSub, PubSubError, PubSubFeature, SubscribeRequest,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use tokio_util::sync::CancellationToken;

/// The subscriptions of one component.
#[derive(Default)]
struct InMemory {
    name: String,
    subscriptions: Arc<Mutex<Vec<Arc<Subscription>>>>,
}

struct Subscription {
    /// Topic; `*` at the end stands for one or more characters.
    topic: String,
    handler: Arc<dyn MessageHandler>,
    /// Held during a delivery.
    delivery: Arc<tokio::sync::Mutex<()>>,
}

/// Creates the component; it has no properties.
pub(super) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    Ok(Component::from_pubsub(InMemory { name: spec.name, ..InMemory::default() }))
}

impl Subscription {
    fn matches(&self, topic: &str) -> bool {
        match self.topic.strip_suffix('*') {
            Some(prefix) => self.topic == topic || topic.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
            None => self.topic == topic,
        }
    }
}

#[async_trait]
impl PubSub for InMemory {
    fn features(&self) -> &[PubSubFeature] {
        &[PubSubFeature::SubscribeWildcards]
    }

    async fn publish(&self, message: Message) -> Result<(), PubSubError> {
        let matching: Vec<_> = {
            let subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
            subscriptions.iter().filter(|subscription| subscription.matches(&message.topic)).cloned().collect()
        };
        for subscription in matching {
            let delivery = subscription.delivery.clone().lock_owned().await;
            // As in Dapr, a handler sees the topic of its subscription.
            let message = Message { topic: subscription.topic.clone(), content_type: None, ..message.clone() };
            let pubsub = self.name.clone();
            tokio::spawn(async move {
                if let Err(error) = subscription.handler.handle(message).await {
                    tracing::error!(pubsub, topic = subscription.topic, %error, "message lost");
                }
                drop(delivery);
            });
        }
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError> {
        let subscription = Arc::new(Subscription { topic: request.topic, handler, delivery: Arc::default() });
        let subscriptions = self.subscriptions.clone();
        subscriptions.lock().unwrap_or_else(PoisonError::into_inner).push(subscription.clone());
        Ok(Box::pin(async move {
            shutdown.cancelled().await;
            let is_other = |known: &Arc<Subscription>| !Arc::ptr_eq(known, &subscription);
            subscriptions.lock().unwrap_or_else(PoisonError::into_inner).retain(is_other);
            // Waits for the delivery under way.
            drop(subscription.delivery.lock().await);
        }))
    }
}

#[cfg(test)]
mod tests {
    use dapr_building_blocks::binding::DeliveryError;
    use tokio::sync::mpsc;

    use super::*;

    /// Sends each message on, and rejects it.
    struct Rejecting(mpsc::UnboundedSender<Message>);

    #[async_trait]
    impl MessageHandler for Rejecting {
        async fn handle(&self, message: Message) -> Result<(), DeliveryError> {
            self.0.send(message).unwrap();
            Err(DeliveryError("no".into()))
        }
    }

    fn message(topic: &str, data: &'static str) -> Message {
        Message { topic: topic.to_owned(), data: data.into(), ..Message::default() }
    }

    #[tokio::test]
    async fn subscriptions_get_matching_messages_once_and_in_order() {
        let broker = InMemory::default();
        let (sender, mut messages) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let mut deliveries = Vec::new();
        for topic in ["a", "a/*"] {
            let request = SubscribeRequest { topic: topic.to_owned(), ..SubscribeRequest::default() };
            let handler = Arc::new(Rejecting(sender.clone()));
            deliveries.push(broker.subscribe(request, handler, shutdown.clone()).await.unwrap());
        }
        for (topic, data) in [("a", "1"), ("a", "2"), ("b", "3"), ("a/", "4"), ("a/b", "5")] {
            broker.publish(message(topic, data)).await.unwrap();
        }
        shutdown.cancel();
        for delivery in deliveries {
            delivery.await;
        }
        broker.publish(message("a", "6")).await.unwrap();
        drop((sender, broker));
        let mut got = Vec::new();
        while let Some(message) = messages.recv().await {
            got.push((message.topic, message.data));
        }
        got.sort_by_key(|(_, data)| data.clone());
        assert_eq!(got, [("a".into(), "1".into()), ("a".into(), "2".into()), ("a/*".into(), "5".into())]);
    }
}
