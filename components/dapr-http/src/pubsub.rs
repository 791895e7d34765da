//! Publishing: `/v1.0/publish`.

use crate::DaprOverHttp;
use crate::bindings::exports::dapr::runtime::pubsub;
use crate::client::ask;
use crate::error::Error;

impl pubsub::Guest for DaprOverHttp {
    fn publish(
        pubsub: String,
        topic: String,
        data: Vec<u8>,
        content_type: String,
        metadata: Vec<(String, String)>,
        deadline: Option<u32>,
    ) -> Result<(), Error> {
        ask(deadline, async |dapr| {
            let message = dapr.topic(&pubsub, &topic).data(&content_type, data);
            metadata.iter().fold(message, |message, (name, value)| message.metadata(name, value)).send().await
        })
    }
}
