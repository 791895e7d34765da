//! Publishing messages to topics.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use crate::backend::CallOptions;
use crate::{Dapr, Error};

/// Name of the call in errors.
pub(crate) const PUBLISH: &str = "publish a message";

/// The part of a backend that publishes.
#[async_trait]
pub(crate) trait PubSubBackend {
    async fn publish(&self, options: &CallOptions, message: &OutgoingMessage<'_>) -> Result<(), Error>;
}

/// A message to publish.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingMessage<'a> {
    pub(crate) pubsub: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) data: Bytes,
    pub(crate) content_type: &'a str,
    pub(crate) metadata: BTreeMap<&'a str, String>,
}

/// A handle to one topic of a broker.
#[derive(Clone, Copy)]
pub struct Topic<'a> {
    dapr: &'a Dapr,
    pubsub: &'a str,
    name: &'a str,
}

/// Builder of a message.
#[must_use = "nothing is published before `send`"]
pub struct Publish<'a> {
    dapr: &'a Dapr,
    message: Result<OutgoingMessage<'a>, Error>,
}

impl Dapr {
    /// Returns a handle to the topic `topic` of the broker `pubsub`.
    #[must_use]
    pub fn topic<'a>(&'a self, pubsub: &'a str, topic: &'a str) -> Topic<'a> {
        Topic { dapr: self, pubsub, name: topic }
    }
}

impl<'a> Topic<'a> {
    /// Publishes `value` as JSON. Dapr makes a CloudEvent of it.
    ///
    /// # Errors
    /// As [`Publish::send`].
    pub async fn publish(self, value: &impl Serialize) -> Result<(), Error> {
        self.json(value).send().await
    }

    /// Starts a message whose payload is `value` as JSON.
    pub fn json(self, value: &impl Serialize) -> Publish<'a> {
        let data = serde_json::to_vec(value).map_err(|source| Error::Encode { operation: PUBLISH, source });
        self.message("application/json", data.map(Bytes::from))
    }

    /// Starts a message with a payload of any media type; `application/cloudevents+json` is an event of its own.
    pub fn data(self, content_type: &'a str, data: impl Into<Bytes>) -> Publish<'a> {
        self.message(content_type, Ok(data.into()))
    }

    fn message(self, content_type: &'a str, data: Result<Bytes, Error>) -> Publish<'a> {
        let Self { dapr, pubsub, name: topic } = self;
        let metadata = BTreeMap::new();
        let message = data.map(|data| OutgoingMessage { pubsub, topic, data, content_type, metadata });
        Publish { dapr, message }
    }
}

impl<'a> Publish<'a> {
    /// Adds metadata, such as `ttlInSeconds`, `rawPayload` or `cloudevent.type`.
    pub fn metadata(mut self, name: &'a str, value: impl Into<String>) -> Self {
        if let Ok(message) = &mut self.message {
            message.metadata.insert(name, value.into());
        }
        self
    }

    /// Publishes the message. It is never sent twice: only the broker knows whether the first one arrived.
    ///
    /// # Errors
    /// If Dapr or the broker cannot be reached, or does not take the message.
    pub async fn send(self) -> Result<(), Error> {
        self.dapr.backend.publish(&self.dapr.call_options, &self.message?).await
    }
}
