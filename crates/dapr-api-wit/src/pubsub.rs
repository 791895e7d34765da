//! Publishing messages.

use dapr_runtime::PublishRequest;

use crate::DaprWit;
use crate::contract::pubsub as wit;
use crate::contract::types::{Error, Metadata, Milliseconds};
use crate::error::within;

impl wit::Host for DaprWit {
    async fn publish(
        &mut self,
        pubsub: String,
        topic: String,
        data: Vec<u8>,
        content_type: String,
        metadata: Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<(), Error> {
        let metadata = metadata.into_iter().collect();
        let request = PublishRequest { topic, data: data.into(), content_type, metadata, ..PublishRequest::default() };
        within(deadline, self.sidecar.publish(&pubsub, request)).await
    }
}
