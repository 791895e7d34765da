//! Publishing: the import `dapr:runtime/pubsub`.

use async_trait::async_trait;

use super::super::CallOptions;
use super::wit::dapr::runtime::pubsub as wit;
use super::{WitBackend, convert_error};
use crate::Error;
use crate::pubsub::{OutgoingMessage, PUBLISH, PubSubBackend};

#[async_trait]
impl PubSubBackend for WitBackend {
    async fn publish(&self, options: &CallOptions, message: &OutgoingMessage<'_>) -> Result<(), Error> {
        let metadata = message.metadata.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let metadata: Vec<_> = metadata.collect();
        let OutgoingMessage { pubsub, topic, data, content_type, .. } = message;
        wit::publish(pubsub, topic, data, content_type, &metadata, options.milliseconds())
            .map_err(|error| convert_error(options, PUBLISH, error))
    }
}
