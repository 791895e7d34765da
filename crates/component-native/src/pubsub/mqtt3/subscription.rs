//! Deliveries of one topic or pattern.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dapr_building_blocks::Metadata;
use dapr_building_blocks::binding::DeliveryError;
use dapr_building_blocks::pubsub::{Message, MessageHandler};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::session::{Received, Session};

/// First and longest delay before a message that is not processed is delivered again; it doubles.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

pub(super) struct Subscription {
    /// Name of the component.
    pub(super) pubsub: String,
    pub(super) session: Arc<Session>,
    pub(super) topic: String,
    pub(super) concurrency: usize,
    /// True if the server forgets the subscription at its end.
    pub(super) unsubscribes: bool,
    pub(super) handler: Arc<dyn MessageHandler>,
}

impl Subscription {
    /// Delivers messages until `shutdown`, and finishes those under way.
    pub(super) async fn run(self, mut messages: mpsc::Receiver<Received>, shutdown: CancellationToken) {
        let mut queue = VecDeque::<(Received, u32)>::new();
        let mut deliveries = FuturesUnordered::new();
        let mut delayed = FuturesUnordered::new();
        loop {
            let is_stopping = shutdown.is_cancelled();
            while !is_stopping
                && deliveries.len() < self.concurrency
                && let Some((received, failures)) = queue.pop_front()
            {
                deliveries.push(self.deliver(received, failures));
            }
            if is_stopping && deliveries.is_empty() {
                break;
            }
            tokio::select! {
                () = shutdown.cancelled(), if !is_stopping => {}
                Some((received, failures, outcome)) = deliveries.next(), if !deliveries.is_empty() => match outcome {
                    Ok(()) => self.session.acknowledge(&received),
                    Err(error) => {
                        let delay = FIRST_DELAY.saturating_mul(1 << failures.min(6)).min(MAX_DELAY);
                        let (pubsub, topic) = (&self.pubsub, &received.publish.topic);
                        tracing::warn!(pubsub, topic, %error, ?delay, "message not processed");
                        let wait = shutdown.clone();
                        delayed.push(async move {
                            wait.run_until_cancelled(tokio::time::sleep(delay)).await;
                            (received, failures + 1)
                        });
                    }
                },
                Some(again) = delayed.next(), if !delayed.is_empty() => queue.push_back(again),
                Some(received) = messages.recv() => queue.push_back((received, 0)),
            }
        }
        // Their delays end with the shutdown.
        while let Some(again) = delayed.next().await {
            queue.push_back(again);
        }
        messages.close();
        let mut rest: Vec<Received> = queue.into_iter().map(|(received, _)| received).collect();
        while let Ok(received) = messages.try_recv() {
            rest.push(received);
        }
        self.session.end(&self.topic, self.unsubscribes, rest);
    }

    async fn deliver(&self, received: Received, failures: u32) -> (Received, u32, Result<(), DeliveryError>) {
        let retained = received.publish.retain.to_string();
        let message = Message {
            topic: received.publish.topic.clone(),
            data: received.publish.payload.clone(),
            metadata: Metadata::from([("retained".to_owned(), retained)]),
            content_type: None,
        };
        let outcome = self.handler.handle(message).await;
        (received, failures, outcome)
    }
}
