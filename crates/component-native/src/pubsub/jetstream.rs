//! `pubsub.jetstream`: topics as subjects of a NATS server: `components-contrib/pubsub/jetstream`.
//!
//! As in Dapr, the streams exist already, a subscription is a push consumer, and the id of a CloudEvent is that of the
//! message, by which the server drops repetitions. A consumer without `durableName` ends with its subscription.
//!
//! While a message waits or is processed here, its `ackWait` is extended, so that a slow handler gets it once.

mod config;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context as JetStream;
use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::{ConnectError, ConnectErrorKind, Event};
use async_trait::async_trait;
use dapr_building_blocks::pubsub::{
    Deliveries, Message, MessageHandler, PubSub, PubSubError, PubSubFeature, SubscribeRequest,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::config::{Config, Consumer};
use self::subscription::Subscription;

/// Delays between two attempts to connect again.
const MIN_RECONNECT_DELAY: Duration = Duration::from_millis(50);
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(2);

/// Connects to the server.
pub(super) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let config = Config::read(&spec.properties, &context)?;
    let (connections, connected) = watch::channel(());
    let pubsub = spec.name.clone();
    let options = config.options()?.reconnect_delay_callback(|attempts| {
        let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
        MIN_RECONNECT_DELAY.saturating_mul(attempts).min(MAX_RECONNECT_DELAY)
    });
    let options = options.event_callback(move |event| {
        match &event {
            Event::Connected => connections.send_replace(()),
            Event::Disconnected => tracing::error!(pubsub, "connection to NATS lost; reconnecting"),
            event => tracing::debug!(pubsub, %event, "event of the connection to NATS"),
        }
        std::future::ready(())
    });
    let client = options.connect(config.servers.as_slice()).await.map_err(init_error)?;
    let jetstream = match (&config.api_prefix, &config.domain) {
        (Some(prefix), _) => ContextBuilder::new().api_prefix(prefix).build(client),
        (None, Some(domain)) => ContextBuilder::new().domain(domain).build(client),
        (None, None) => ContextBuilder::new().build(client),
    };
    Ok(Component::from_pubsub(Nats { name: spec.name, jetstream, consumer: Arc::new(config.consumer), connected }))
}

/// Classifies an error of the first connection.
fn init_error(error: ConnectError) -> InitError {
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Tls => {
            InitError::misconfigured(error)
        }
        _ => InitError::unavailable(error),
    }
}

struct Nats {
    name: String,
    jetstream: JetStream,
    consumer: Arc<Consumer>,
    /// Changes after each connection.
    connected: watch::Receiver<()>,
}

/// The part of a CloudEvent by which the server recognises a repetition.
#[derive(Deserialize)]
struct CloudEvent {
    id: String,
}

#[async_trait]
impl PubSub for Nats {
    fn features(&self) -> &[PubSubFeature] {
        &[]
    }

    async fn publish(&self, message: Message) -> Result<(), PubSubError> {
        let mut publish = PublishMessage::build();
        if let Ok(CloudEvent { id }) = serde_json::from_slice(&message.data)
            && !id.is_empty()
            && !id.contains(['\r', '\n'])
        {
            publish = publish.message_id(id);
        }
        let sent = self.jetstream.send_publish(message.topic, publish.payload(message.data)).await;
        sent.map_err(publish_error)?.await.map_err(publish_error)?;
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError> {
        let subscription = Subscription {
            pubsub: self.name.clone(),
            jetstream: self.jetstream.clone(),
            topic: request.topic,
            concurrency: self.consumer.concurrency.max(request.batch),
            consumer: self.consumer.clone(),
            handler,
            connected: self.connected.clone(),
        };
        let stream = subscription.stream().await.map_err(other)?;
        let messages = subscription.open(&stream, None).await.map_err(other)?;
        Ok(Box::pin(subscription.run(stream, messages, shutdown)))
    }
}

fn publish_error(error: PublishError) -> PubSubError {
    match error.kind() {
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => PubSubError::Unavailable(error.into()),
        _ => PubSubError::Other(error.into()),
    }
}

fn other(error: async_nats::Error) -> PubSubError {
    PubSubError::Other(error)
}
