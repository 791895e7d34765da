//! Deliveries of one subject to one consumer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::push::Messages;
use async_nats::jetstream::consumer::{self, AckPolicy, PushConsumer};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{AckKind, Context as JetStream, Message as Received};
use dapr_building_blocks::Metadata;
use dapr_building_blocks::pubsub::{Message, MessageHandler};
use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::config::Consumer;

/// Delay before a consumer that could not be opened is opened again.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// A message that waits or is processed is kept from others this often in each redelivery delay.
const KEEPS_PER_DELAY: u32 = 3;
/// Metadata with the subject, as in Dapr.
const TOPIC: &str = "Topic";

pub(super) struct Subscription {
    /// Name of the component.
    pub(super) pubsub: String,
    pub(super) jetstream: JetStream,
    pub(super) topic: String,
    pub(super) consumer: Arc<Consumer>,
    pub(super) concurrency: usize,
    pub(super) handler: Arc<dyn MessageHandler>,
    /// Changes after each connection.
    pub(super) connected: watch::Receiver<()>,
}

/// The messages of a consumer, and its name.
pub(super) struct Opened {
    messages: Messages,
    name: String,
}

impl Subscription {
    /// Returns the stream of the topic.
    pub(super) async fn stream(&self) -> Result<Stream, async_nats::Error> {
        let name = match &self.consumer.stream {
            Some(name) => name.clone(),
            None => self.jetstream.stream_by_subject(&self.topic).await?,
        };
        Ok(self.jetstream.get_stream(name).await?)
    }

    /// Creates the consumer, from the message `start` if it is given, or finds it, and subscribes to its messages.
    pub(super) async fn open(&self, stream: &Stream, start: Option<u64>) -> Result<Opened, async_nats::Error> {
        let mut deliver_subject = self.jetstream.client().new_inbox();
        if let Some(durable) = &self.consumer.durable
            && let Some(existing) = find(stream, durable).await?
        {
            let consumer::Config { deliver_subject: subject, filter_subject: topic, .. } = existing.config;
            if topic != self.topic {
                let message = format!("the consumer of durableName {durable:?} is for the topic {topic:?}");
                return Err(message.into());
            }
            if existing.push_bound && self.consumer.group.is_none() {
                return Err(format!("durableName {durable:?} is in use, and there is no queueGroupName").into());
            }
            // Members of a group get their messages from one subject.
            deliver_subject = subject.ok_or_else(|| format!("the consumer {durable:?} is a pull consumer"))?;
        }
        let config = self.consumer.to_push(&self.topic, deliver_subject, start);
        let consumer: PushConsumer = stream.create_consumer(config).await?;
        Ok(Opened { messages: consumer.messages().await?, name: consumer.cached_info().name.clone() })
    }

    /// Delivers messages until `shutdown`, and finishes those under way.
    pub(super) async fn run(self, stream: Stream, opened: Opened, shutdown: CancellationToken) {
        let mut connected = self.connected.clone();
        connected.mark_unchanged();
        let is_acknowledged = self.consumer.acknowledgement != AckPolicy::None;
        let mut opened = Some(opened);
        let mut queue = VecDeque::<Received>::new();
        let mut deliveries = FuturesUnordered::new();
        let mut last = None;
        let mut keep = tokio::time::interval(keep_interval(&self.consumer));
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while !shutdown.is_cancelled()
                && deliveries.len() < self.concurrency
                && let Some(message) = queue.pop_front()
            {
                deliveries.push(self.deliver(message));
            }
            if shutdown.is_cancelled() {
                // Ends the subscription before others get its messages.
                if let Some(mut opened) = opened.take() {
                    while let Some(Some(Ok(message))) = opened.messages.next().now_or_never() {
                        queue.push_back(message);
                    }
                }
                if is_acknowledged {
                    for message in queue.drain(..) {
                        let _ = message.ack_with(AckKind::Nak(None)).await;
                    }
                }
                if deliveries.is_empty() {
                    break;
                }
            }
            tokio::select! {
                () = shutdown.cancelled(), if !shutdown.is_cancelled() => {}
                Some(()) = deliveries.next(), if !deliveries.is_empty() => {}
                message = next(&mut opened) => match message {
                    Some(Ok(message)) => {
                        last = message.info().ok().map(|info| info.stream_sequence).or(last);
                        queue.push_back(message);
                    }
                    Some(Err(error)) => {
                        let (pubsub, topic) = (&self.pubsub, &self.topic);
                        tracing::warn!(pubsub, topic, %error, "messages of NATS interrupted");
                        opened = self.open_again(&stream, opened.take(), last, &shutdown).await;
                    }
                    None => opened = self.open_again(&stream, None, last, &shutdown).await,
                },
                Ok(()) = connected.changed(), if opened.is_some() => {
                    opened = self.open_again(&stream, opened.take(), last, &shutdown).await;
                }
                _ = keep.tick(), if is_acknowledged => {
                    for message in &queue {
                        let _ = message.ack_with(AckKind::Progress).await;
                    }
                }
            }
        }
        // The client sends what it has before the component ends.
        let _ = self.jetstream.client().flush().await;
    }

    /// Returns a consumer that the server has: the one that is open if it still has it, else a new one.
    async fn open_again(
        &self,
        stream: &Stream,
        mut opened: Option<Opened>,
        last: Option<u64>,
        shutdown: &CancellationToken,
    ) -> Option<Opened> {
        let open = async {
            loop {
                let outcome = match opened.take() {
                    Some(opened) => match find(stream, &opened.name).await {
                        Ok(Some(_)) => return opened,
                        // Without a server, the consumer may be there still.
                        Err(error) => Err((error, Some(opened))),
                        Ok(None) => Ok(()),
                    },
                    None => Ok(()),
                };
                let error = match outcome {
                    // A durable consumer knows its position; another goes on after the last message.
                    Ok(()) => {
                        let start = last.filter(|_| self.consumer.durable.is_none()).map(|last| last + 1);
                        match self.open(stream, start).await {
                            Ok(opened) => return opened,
                            Err(error) => error,
                        }
                    }
                    Err((error, kept)) => {
                        opened = kept;
                        error
                    }
                };
                let (pubsub, topic) = (&self.pubsub, &self.topic);
                tracing::warn!(pubsub, topic, %error, "consumer of NATS not available; retrying");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        };
        shutdown.run_until_cancelled(open).await
    }

    async fn deliver(&self, received: Received) {
        let message = Message {
            topic: self.topic.clone(),
            data: received.payload.clone(),
            metadata: Metadata::from([(TOPIC.to_owned(), received.subject.to_string())]),
            content_type: None,
        };
        let is_acknowledged = self.consumer.acknowledgement != AckPolicy::None;
        let mut handling = self.handler.handle(message);
        let outcome = loop {
            tokio::select! {
                outcome = &mut handling => break outcome,
                () = tokio::time::sleep(keep_interval(&self.consumer)), if is_acknowledged => {
                    let _ = received.ack_with(AckKind::Progress).await;
                }
            }
        };
        let (pubsub, topic) = (&self.pubsub, &self.topic);
        let kind = match outcome {
            Ok(()) => AckKind::Ack,
            Err(error) => {
                tracing::warn!(pubsub, topic, %error, is_again = is_acknowledged, "message not processed");
                AckKind::Nak(self.consumer.ack_wait)
            }
        };
        if is_acknowledged && let Err(error) = received.ack_with(kind).await {
            tracing::error!(pubsub, topic, %error, "message not acknowledged");
        }
    }
}

/// Returns a consumer of the stream, if there is one.
async fn find(stream: &Stream, name: &str) -> Result<Option<consumer::Info>, async_nats::Error> {
    match stream.consumer_info(name).await {
        Ok(info) => Ok(Some(info)),
        Err(error) if matches!(error.kind(), ConsumerInfoErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn keep_interval(consumer: &Consumer) -> Duration {
    (consumer.redelivery_delay() / KEEPS_PER_DELAY).max(Duration::from_millis(1))
}

async fn next(
    opened: &mut Option<Opened>,
) -> Option<Result<Received, async_nats::jetstream::consumer::push::MessagesError>> {
    match opened {
        Some(opened) => opened.messages.next().await,
        None => std::future::pending().await,
    }
}
