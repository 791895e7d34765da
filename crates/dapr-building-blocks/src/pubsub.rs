//! Pub/sub: `components-contrib/pubsub/{pubsub,requests,responses,bulkpublish}.go`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::binding::DeliveryError;
use crate::{BoxError, Metadata};

/// Messages of one bulk publish that the default implementation has under way at once.
const BULK_PUBLISH_CONCURRENCY: usize = 100;

/// Deliveries of one subscription. The future ends once those under way at the shutdown are over.
pub type Deliveries = BoxFuture<'static, ()>;

/// A message broker.
#[async_trait]
pub trait PubSub: Send + Sync {
    /// Lists the features of the broker.
    fn features(&self) -> &[PubSubFeature];

    /// Publishes one message. On return the broker has acknowledged it, in whatever sense its documentation gives.
    async fn publish(&self, message: Message) -> Result<(), PubSubError>;

    /// Publishes several messages, and returns those that failed; by default each by itself, in order.
    async fn bulk_publish(&self, entries: Vec<BulkEntry>) -> Vec<FailedEntry> {
        let publish = |entry: BulkEntry| async move {
            let BulkEntry { entry_id, message } = entry;
            self.publish(message).await.err().map(|error| FailedEntry { entry_id, error })
        };
        let outcomes = stream::iter(entries.into_iter().map(publish)).buffered(BULK_PUBLISH_CONCURRENCY);
        outcomes.filter_map(std::future::ready).collect().await
    }

    /// Subscribes to a topic until `shutdown` is cancelled. On return the subscription holds.
    ///
    /// A message that the handler accepts is acknowledged; what happens to one that it does not is up to the broker.
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError>;
}

/// Receiver of the messages of a subscription.
#[async_trait]
pub trait MessageHandler: Send + Sync {
    /// Processes one message; an error means that it is not processed.
    async fn handle(&self, message: Message) -> Result<(), DeliveryError>;
}

/// A message, to the broker or from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Topic of the message.
    pub topic: String,
    /// Payload: a CloudEvent as JSON, or raw bytes.
    pub data: Bytes,
    /// Metadata of the message.
    pub metadata: Metadata,
    /// Media type of the payload, where the broker carries one.
    pub content_type: Option<String>,
}

/// One message of a bulk publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkEntry {
    /// Id that the publisher gives it, unique within the request.
    pub entry_id: String,
    /// The message.
    pub message: Message,
}

/// A message of a bulk publish that was not published.
#[derive(Debug)]
pub struct FailedEntry {
    /// Id from the request.
    pub entry_id: String,
    /// Cause.
    pub error: PubSubError,
}

/// A subscription to one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscribeRequest {
    /// Topic, which may be a pattern where the broker has [`PubSubFeature::SubscribeWildcards`].
    pub topic: String,
    /// Metadata of the subscription.
    pub metadata: Metadata,
    /// Messages that the handler waits for before it processes any; up to 1 if it takes each by itself.
    pub batch: usize,
}

/// A feature of a broker: `components-contrib/pubsub/feature.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PubSubFeature {
    /// The broker itself drops messages after their time to live.
    MessageTtl,
    /// Topics of subscriptions may be patterns.
    SubscribeWildcards,
    /// The broker publishes several messages in one step.
    BulkPublish,
}

impl PubSubFeature {
    /// Returns Dapr's name of the feature.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageTtl => "MESSAGE_TTL",
            Self::SubscribeWildcards => "SUBSCRIBE_WILDCARDS",
            Self::BulkPublish => "BULK_PUBSUB",
        }
    }
}

/// An error of a broker.
#[derive(Debug, Error)]
pub enum PubSubError {
    /// The broker is unreachable now, or its disk is full; the same call may succeed later.
    #[error("{0}")]
    Unavailable(#[source] BoxError),
    /// The broker reported an error.
    #[error("{0}")]
    Other(#[source] BoxError),
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Publishes what does not begin with `bad`.
    #[derive(Default)]
    struct Picky(Mutex<Vec<Bytes>>);

    #[async_trait]
    impl PubSub for Picky {
        fn features(&self) -> &[PubSubFeature] {
            &[]
        }

        async fn publish(&self, message: Message) -> Result<(), PubSubError> {
            if message.data.starts_with(b"bad") {
                return Err(PubSubError::Other("no".into()));
            }
            self.0.lock().unwrap().push(message.data);
            Ok(())
        }

        async fn subscribe(
            &self,
            _: SubscribeRequest,
            _: Arc<dyn MessageHandler>,
            _: CancellationToken,
        ) -> Result<Deliveries, PubSubError> {
            Ok(Box::pin(std::future::ready(())))
        }
    }

    #[tokio::test]
    async fn bulk_publish_keeps_order_and_names_failures() {
        let entry = |entry_id: usize, data: &'static str| BulkEntry {
            entry_id: entry_id.to_string(),
            message: Message { data: data.into(), ..Message::default() },
        };
        let broker = Picky::default();
        let entries = ["one", "bad", "two", "bad too", "three"].into_iter().enumerate();
        let failed = broker.bulk_publish(entries.map(|(index, data)| entry(index, data)).collect()).await;
        let failed: Vec<_> = failed.iter().map(|it| (it.entry_id.as_str(), it.error.to_string())).collect();
        assert_eq!(failed, [("1", "no".to_owned()), ("3", "no".to_owned())]);
        assert_eq!(*broker.0.lock().unwrap(), ["one", "two", "three"]);
    }
}
