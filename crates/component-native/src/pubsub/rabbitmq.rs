//! `pubsub.rabbitmq`: topics as exchanges of a RabbitMQ server: `components-contrib/pubsub/rabbitmq`.
//!
//! The layout is Dapr's: an exchange of the topic's name, and a queue `CONSUMERID-TOPIC` for each group. Unlike in
//! Dapr, a publish waits for the server's confirmation unless `publisherConfirm` is false, and each subscription has a
//! channel of its own.

mod config;
mod connection;
mod subscription;

use std::sync::Arc;

use async_trait::async_trait;
use dapr_building_blocks::pubsub::{
    Deliveries, Message, MessageHandler, PubSub, PubSubError, PubSubFeature, SubscribeRequest,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::ShortString;
use lapin::{BasicProperties, ErrorKind};
use tokio_util::sync::CancellationToken;

use self::config::Config;
use self::connection::Link;
use self::subscription::{QueueSettings, Subscription};

/// Attempts to publish a message.
const PUBLISH_ATTEMPTS: u32 = 3;
/// Media type of messages without another, as in Dapr.
const DEFAULT_CONTENT_TYPE: &str = "text/plain";

/// Connects to the server.
pub(super) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let link = Link::new(Config::read(&spec.properties, &context)?);
    link.open().await.map_err(|error| match error.kind() {
        ErrorKind::ProtocolError(_) | ErrorKind::AuthProviderError(_) => InitError::misconfigured(error),
        _ => InitError::unavailable(error),
    })?;
    Ok(Component::from_pubsub(RabbitMq { name: spec.name, link: Arc::new(link) }))
}

struct RabbitMq {
    name: String,
    link: Arc<Link>,
}

#[async_trait]
impl PubSub for RabbitMq {
    fn features(&self) -> &[PubSubFeature] {
        &[PubSubFeature::MessageTtl]
    }

    /// Publishes the message. It is sent again if the connection is lost, and may then be twice in the queues.
    async fn publish(&self, message: Message) -> Result<(), PubSubError> {
        let properties = self.properties(&message)?;
        let routing_key = message.metadata.get("routingKey").cloned().unwrap_or_default();
        let mut attempt = 1;
        loop {
            let error = match self.link.publish(&message, &routing_key, properties.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(PubSubError::Unavailable("RabbitMQ has rejected the message".into())),
                Err(error) => error,
            };
            match answer(&error) {
                _ if attempt == PUBLISH_ATTEMPTS => return Err(PubSubError::Unavailable(error.into())),
                // The exchange ended with its last queue; the next attempt declares it again.
                Some(AMQPSoftError::NOTFOUND) => {}
                Some(_) => return Err(PubSubError::Other(error.into())),
                None => tokio::time::sleep(self.link.config.reconnect_wait).await,
            }
            attempt += 1;
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError> {
        let queue =
            QueueSettings::read(&request, &self.link.config).map_err(|error| PubSubError::Other(error.into()))?;
        let concurrency = self.link.config.concurrency.max(request.batch);
        let subscription =
            Subscription { pubsub: self.name.clone(), link: self.link.clone(), queue, concurrency, handler };
        let consuming = subscription.open().await.map_err(failure)?;
        Ok(Box::pin(subscription.run(consuming, shutdown)))
    }
}

impl RabbitMq {
    /// Returns the properties that the message's metadata asks for.
    fn properties(&self, message: &Message) -> Result<BasicProperties, PubSubError> {
        let Message { metadata, .. } = message;
        let text = |name| find(metadata, name).map(|value| ShortString::from(value.to_owned()));
        let content_type = text("contentType").unwrap_or_else(|| DEFAULT_CONTENT_TYPE.into());
        let mut properties = BasicProperties::default().with_content_type(content_type);
        if self.link.config.delivery_mode > 0 {
            properties = properties.with_delivery_mode(self.link.config.delivery_mode);
        }
        let ttl = match find(metadata, "ttlInSeconds") {
            Some(seconds) => {
                let millis = seconds.trim().parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000));
                Some(millis.ok_or_else(|| PubSubError::Other("ttlInSeconds is not a number of seconds".into()))?)
            }
            None => self.link.config.ttl_millis,
        };
        if let Some(millis) = ttl {
            properties = properties.with_expiration(millis.to_string().into());
        }
        if let Some(priority) = find(metadata, "priority").and_then(|priority| priority.parse().ok()) {
            properties = properties.with_priority(priority);
        }
        if let Some(id) = text("messageID") {
            properties = properties.with_message_id(id);
        }
        if let Some(id) = text("correlationID") {
            properties = properties.with_correlation_id(id);
        }
        if let Some(kind) = text("type") {
            properties = properties.with_type(kind);
        }
        Ok(properties)
    }
}

/// Returns a value of the metadata. Names are case-insensitive.
fn find<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a str> {
    let found = metadata.iter().find(|(known, value)| known.eq_ignore_ascii_case(name) && !value.is_empty());
    found.map(|(_, value)| value.as_str()).filter(|value| value.len() <= usize::from(u8::MAX))
}

/// Returns the answer of the server with which it closed a channel, and not the connection.
fn answer(error: &lapin::Error) -> Option<&AMQPSoftError> {
    let ErrorKind::ProtocolError(error) = error.kind() else { return None };
    match error.kind() {
        AMQPErrorKind::Soft(answer) => Some(answer),
        AMQPErrorKind::Hard(_) => None,
    }
}

fn failure(error: lapin::Error) -> PubSubError {
    if answer(&error).is_some() { PubSubError::Other(error.into()) } else { PubSubError::Unavailable(error.into()) }
}
