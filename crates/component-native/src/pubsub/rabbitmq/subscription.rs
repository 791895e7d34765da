//! Deliveries of one queue.

use std::collections::VecDeque;
use std::sync::Arc;

use dapr_building_blocks::Metadata;
use dapr_building_blocks::pubsub::{Message, MessageHandler, SubscribeRequest};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer, ExchangeKind};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::connection::{self, Link};
use crate::pubsub::finished;

/// Messages that wait here without a `prefetchCount`: the rest waits in the server.
const DEFAULT_PREFETCH: u16 = 1000;

pub(super) struct Subscription {
    /// Name of the component.
    pub(super) pubsub: String,
    pub(super) link: Arc<Link>,
    pub(super) queue: QueueSettings,
    pub(super) concurrency: usize,
    pub(super) handler: Arc<dyn MessageHandler>,
}

/// The queue of a subscription.
pub(super) struct QueueSettings {
    topic: String,
    name: String,
    routing_keys: Vec<String>,
    arguments: FieldTable,
    prefetch: u16,
}

/// A consumer with its channel.
pub(super) struct Consuming {
    channel: Channel,
    consumer: Consumer,
}

impl QueueSettings {
    /// Reads the metadata of the subscription.
    pub(super) fn read(request: &SubscribeRequest, config: &Config) -> Result<Self, String> {
        let SubscribeRequest { topic, metadata, batch } = request;
        let get = |name: &str| metadata.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let name = get("queueName").map_or_else(|| format!("{}-{topic}", config.group), str::to_owned);
        let number = |name: &str| {
            let number = get(name).map(|text| text.trim().parse::<u32>().map(i64::from));
            number.transpose().map_err(|_| format!("the metadata {name:?} of a subscription must be a number"))
        };
        let mut arguments = FieldTable::default();
        if config.has_dead_letters {
            arguments.insert("x-dead-letter-exchange".into(), long(&dead_letter_exchange(&name)));
        }
        insert_limits(
            &mut arguments,
            number("maxLen")?.or(config.max_len),
            number("maxLenBytes")?.or(config.max_len_bytes),
        );
        if let Some(priority) = number("maxPriority")? {
            let priority = u8::try_from(priority).unwrap_or(u8::MAX);
            arguments.insert("x-max-priority".into(), AMQPValue::ShortShortUInt(priority));
        }
        let kind = match get("queueType") {
            None => "classic",
            Some(kind @ ("classic" | "quorum")) => kind,
            Some(_) => return Err("the metadata \"queueType\" of a subscription must be classic or quorum".to_owned()),
        };
        arguments.insert("x-queue-type".into(), long(kind));
        if get("singleActiveConsumer").is_some_and(|text| ["true", "1", "yes", "on", "y", "t"].contains(&text)) {
            arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        }
        let routing_keys = get("routingKey").unwrap_or_default().split(',').map(str::to_owned).collect();
        let batch = u16::try_from(*batch).unwrap_or(u16::MAX);
        let prefetch = if config.prefetch == 0 { DEFAULT_PREFETCH } else { config.prefetch }.max(batch);
        Ok(Self { topic: topic.clone(), name, routing_keys, arguments, prefetch })
    }
}

fn dead_letter_exchange(queue: &str) -> String {
    format!("dlx-{queue}")
}

fn insert_limits(arguments: &mut FieldTable, length: Option<i64>, bytes: Option<i64>) {
    if let Some(length) = length {
        arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(length));
    }
    if let Some(bytes) = bytes {
        arguments.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(bytes));
    }
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

impl Subscription {
    /// Declares exchange and queue, and begins to consume.
    pub(super) async fn open(&self) -> lapin::Result<Consuming> {
        let (QueueSettings { topic, name, routing_keys, arguments, prefetch }, config) =
            (&self.queue, &self.link.config);
        let channel = self.link.channel().await?;
        self.link.declare_exchange(&channel, topic).await?;
        let auto_delete = config.deletes_unused;
        if config.has_dead_letters {
            let (exchange, queue) = (dead_letter_exchange(name), format!("dlq-{name}"));
            connection::declare(&channel, &exchange, ExchangeKind::Fanout, true, auto_delete).await?;
            let mut arguments = FieldTable::default();
            insert_limits(&mut arguments, config.max_len, config.max_len_bytes);
            arguments.insert("x-queue-mode".into(), long("lazy"));
            let options = QueueDeclareOptions { durable: true, auto_delete, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.as_str().into(), options, arguments).await?;
            bind(&channel, &queue, &exchange, "").await?;
        }
        let options = QueueDeclareOptions { durable: config.is_durable, auto_delete, ..QueueDeclareOptions::default() };
        channel.queue_declare(name.as_str().into(), options, arguments.clone()).await?;
        for key in routing_keys {
            bind(&channel, name, topic, key).await?;
        }
        channel.basic_qos(*prefetch, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions { no_ack: config.auto_ack, ..BasicConsumeOptions::default() };
        // The server names the consumer.
        let consumer = channel.basic_consume(name.as_str().into(), "".into(), options, FieldTable::default()).await?;
        Ok(Consuming { channel, consumer })
    }

    /// Delivers messages until `shutdown`, and finishes those under way.
    pub(super) async fn run(self, consuming: Consuming, shutdown: CancellationToken) {
        let auto_ack = self.link.config.auto_ack;
        let mut consuming = Some(consuming);
        let mut queue = VecDeque::new();
        let mut deliveries = FuturesUnordered::new();
        let mut restoring: Option<BoxFuture<'_, Consuming>> = None;
        let mut is_stopping = false;
        loop {
            if consuming.is_none() && restoring.is_none() {
                restoring = Some(Box::pin(self.open_again()));
            }
            if !is_stopping && shutdown.is_cancelled() {
                is_stopping = true;
                if let Some(Consuming { channel, consumer }) = &mut consuming {
                    let cancel = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
                    if let Err(error) = cancel.await {
                        tracing::debug!(pubsub = self.pubsub, queue = self.queue.name, %error, "consumer not cancelled");
                    }
                    while let Some(Some(Ok(delivery))) = consumer.next().now_or_never() {
                        queue.push_back(delivery);
                    }
                }
                if !auto_ack {
                    for delivery in queue.drain(..) {
                        self.settle(&delivery, None).await;
                    }
                }
            }
            // Without acknowledgements, the server no longer has what waits here.
            while (!is_stopping || auto_ack)
                && deliveries.len() < self.concurrency
                && let Some(delivery) = queue.pop_front()
            {
                deliveries.push(self.deliver(delivery));
            }
            if is_stopping && deliveries.is_empty() {
                break;
            }
            tokio::select! {
                () = shutdown.cancelled(), if !is_stopping => {}
                Some(()) = deliveries.next(), if !deliveries.is_empty() => {}
                delivery = next(&mut consuming), if !is_stopping => match delivery {
                    Some(Ok(delivery)) => queue.push_back(delivery),
                    lost => {
                        let error = lost.and_then(Result::err).map(|error| error.to_string());
                        let (pubsub, queue_name) = (&self.pubsub, &self.queue.name);
                        tracing::error!(pubsub, queue = queue_name, error, "consumer lost; reconnecting");
                        consuming = None;
                        if !auto_ack {
                            // The server delivers them again.
                            queue.clear();
                        }
                    }
                },
                restored = finished(&mut restoring), if !is_stopping => consuming = Some(restored),
            }
        }
        if let Some(Consuming { channel, .. }) = consuming {
            // Sends acknowledgements that wait.
            let _ = channel.close(200, "end of subscription".into()).await;
        }
    }

    /// Opens the consumer in as many attempts as it takes.
    async fn open_again(&self) -> Consuming {
        loop {
            tokio::time::sleep(self.link.config.reconnect_wait).await;
            match self.open().await {
                Ok(consuming) => {
                    tracing::info!(pubsub = self.pubsub, queue = self.queue.name, "consumer restored");
                    return consuming;
                }
                Err(error) => {
                    tracing::warn!(pubsub = self.pubsub, queue = self.queue.name, %error, "consumer not restored; retrying");
                }
            }
        }
    }

    async fn deliver(&self, delivery: Delivery) {
        let metadata = if self.link.config.delivers_properties { metadata(&delivery) } else { Metadata::new() };
        let topic = self.queue.topic.clone();
        let message = Message { topic, data: delivery.data.clone().into(), metadata, content_type: None };
        let outcome = self.handler.handle(message).await;
        if let Err(error) = &outcome {
            let is_again = self.link.config.requeues && !self.link.config.auto_ack;
            tracing::warn!(pubsub = self.pubsub, queue = self.queue.name, %error, is_again, "message not processed");
        }
        if !self.link.config.auto_ack {
            self.settle(&delivery, Some(outcome.is_ok())).await;
        }
    }

    /// Acknowledges a message that was processed, and rejects one that was not; `None` gives it back.
    async fn settle(&self, delivery: &Delivery, is_processed: Option<bool>) {
        let settled = match is_processed {
            Some(true) => delivery.acker.ack(BasicAckOptions::default()).await,
            _ => {
                let requeue = is_processed.is_none() || self.link.config.requeues;
                delivery.acker.nack(BasicNackOptions { requeue, ..BasicNackOptions::default() }).await
            }
        };
        if let Err(error) = settled {
            // The server delivers it again.
            tracing::debug!(pubsub = self.pubsub, queue = self.queue.name, %error, "message not acknowledged");
        }
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await
}

/// Returns the properties of a message, by Dapr's names.
fn metadata(delivery: &Delivery) -> Metadata {
    let properties = &delivery.properties;
    let named = [
        ("metadata.messageid", properties.message_id()),
        ("metadata.correlationid", properties.correlation_id()),
        ("metadata.type", properties.kind()),
        ("metadata.contenttype", properties.content_type()),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.as_ref()?.to_string())));
    let headers = properties.headers().iter().flat_map(|headers| headers.inner().iter());
    let headers = headers.filter_map(|(name, value)| match value {
        AMQPValue::LongString(text) => Some((format!("metadata.{name}"), text.to_string())),
        AMQPValue::ShortString(text) => Some((format!("metadata.{name}"), text.to_string())),
        _ => None,
    });
    named.chain(headers).collect()
}

async fn next(consuming: &mut Option<Consuming>) -> Option<lapin::Result<Delivery>> {
    match consuming {
        Some(consuming) => consuming.consumer.next().await,
        None => std::future::pending().await,
    }
}
