//! `pubsub.redis`: topics as streams of a Redis server: `components-contrib/pubsub/redis/redis.go`.
//!
//! The layout is Dapr's, so that both can share a stream: an entry has the fields `data` and `metadata`, and a group
//! and its consumer have the name `consumerID`.
//!
//! A message that is not processed stays pending, and is delivered again once it has been pending for
//! `processingTimeout`, as Dapr documents. Dapr's own code acknowledges it. While a message is queued or processed
//! here, it is kept from other consumers, so `processingTimeout` counts from the end of a failed delivery or of a
//! process, and a slow handler is not interrupted.

mod config;
mod stream;
mod subscription;

use std::sync::Arc;

use async_trait::async_trait;
use dapr_building_blocks::pubsub::{
    Deliveries, Message, MessageHandler, PubSub, PubSubError, PubSubFeature, SubscribeRequest,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use redis::RedisError;
use tokio_util::sync::CancellationToken;

use self::config::{Config, Delivery, Trimming};
use self::stream::Stream;
use self::subscription::Subscription;
use crate::redis_client::{self, Link, Repeat};

/// Connects to the server.
pub(super) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let Config { server, group, delivery, trimming, ignores_ttl } = Config::read(&spec.properties, &context)?;
    if ignores_ttl {
        tracing::warn!(component = spec.name, "streamTTL has no effect beside maxLenApprox");
    }
    let link = Link::new(server);
    let ping = |mut connection| async move { redis::cmd("PING").query_async::<String>(&mut connection).await };
    link.send(Repeat::Harmless, ping).await.map_err(redis_client::init_error)?;
    Ok(Component::from_pubsub(Redis { name: spec.name, link: Arc::new(link), group, delivery, trimming }))
}

struct Redis {
    name: String,
    link: Arc<Link>,
    /// Name of the group and of its consumer.
    group: String,
    delivery: Delivery,
    trimming: Option<Trimming>,
}

impl Redis {
    fn stream(&self, topic: String) -> Stream {
        Stream { link: self.link.clone(), key: topic, group: self.group.clone() }
    }
}

#[async_trait]
impl PubSub for Redis {
    fn features(&self) -> &[PubSubFeature] {
        &[]
    }

    /// Adds the message to the stream. As in Dapr, it is sent again if the connection is lost, and may then be twice in
    /// the stream.
    async fn publish(&self, message: Message) -> Result<(), PubSubError> {
        stream::add(&self.link, &message, self.trimming).await.map_err(failure)
    }

    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError> {
        let stream = self.stream(request.topic);
        stream.create_group().await.map_err(failure)?;
        let delivery = self.delivery.for_batch(request.batch);
        let subscription = Subscription { pubsub: self.name.clone(), stream, delivery, handler };
        Ok(Box::pin(subscription.run(shutdown)))
    }
}

fn failure(error: RedisError) -> PubSubError {
    if redis_client::is_unavailable(&error) {
        PubSubError::Unavailable(error.into())
    } else {
        PubSubError::Other(error.into())
    }
}
