//! `pubsub.sqlite`: a durable broker in one file, for the applications of one process. Dapr has no such component.
//!
//! A publish is acknowledged once its message is on disk; publishes that wait at the same time share one commit. Each
//! group of subscribers (`consumerID`, by default the app id) has a position in each topic, and gets the topic's
//! messages in order, from the first that is kept. A message that is not processed does not hold up the others: it is
//! delivered again after a delay that doubles, and after `maxDeliveries` it is parked, where it stays visible.
//!
//! A message may be delivered twice if the process is killed between the delivery and its record. A second process on
//! the same file waits until the first has ended.

mod config;
mod file;
mod schema;
mod subscription;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use dapr_building_blocks::pubsub::{
    BulkEntry, Deliveries, FailedEntry, Message, MessageHandler, PubSub, PubSubError, PubSubFeature, SubscribeRequest,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use tokio_util::sync::CancellationToken;

use self::config::{Config, Redelivery};
use self::file::BrokerFile;
use self::subscription::Subscription;

/// Opens the file, or shares it with other applications of this process.
pub(super) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let config = Config::read(&spec.properties, &context)?;
    let Config { group, redelivery, concurrency, .. } = config.clone();
    let opened = tokio::task::spawn_blocking(move || BrokerFile::open(&config)).await;
    let file = opened.map_err(InitError::unavailable)??;
    Ok(Component::from_pubsub(Sqlite { name: spec.name, file, group, redelivery, concurrency }))
}

/// The broker, as one application sees it.
struct Sqlite {
    name: String,
    file: Arc<BrokerFile>,
    group: String,
    redelivery: Redelivery,
    /// Messages of one subscription under way at once.
    concurrency: usize,
}

#[async_trait]
impl PubSub for Sqlite {
    fn features(&self) -> &[PubSubFeature] {
        &[PubSubFeature::BulkPublish]
    }

    async fn publish(&self, message: Message) -> Result<(), PubSubError> {
        self.file.writer.append(vec![message]).await
    }

    async fn bulk_publish(&self, entries: Vec<BulkEntry>) -> Vec<FailedEntry> {
        let (ids, messages): (Vec<_>, Vec<_>) = entries.into_iter().map(|it| (it.entry_id, it.message)).unzip();
        let Err(error) = self.file.writer.append(messages).await else { return Vec::new() };
        let failed = |entry_id| FailedEntry { entry_id, error: PubSubError::Unavailable(error.to_string().into()) };
        ids.into_iter().map(failed).collect()
    }

    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError> {
        let claim = self.file.claim(&request.topic, &self.group).ok_or_else(|| {
            let (topic, group) = (&request.topic, &self.group);
            let message = format!("the group {group:?} has a subscription to {topic:?} already, in this process");
            PubSubError::Other(message.into())
        })?;
        let subscription = Subscription {
            pubsub: self.name.clone(),
            file: self.file.clone(),
            topic: request.topic,
            group: self.group.clone(),
            redelivery: self.redelivery,
            concurrency: self.concurrency.max(request.batch),
            handler,
            _claim: claim,
        };
        let position = subscription.join().await?;
        Ok(Box::pin(subscription.run(position, shutdown)))
    }
}
