//! Dead letter topics: `sendToDeadLetter` in `dapr/pkg/runtime/subscription/subscription.go`.

use std::time::Duration;

use dapr_building_blocks::pubsub::{BulkEntry, Message};

use crate::Sidecar;

/// Longest time for publishing to a dead letter topic.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Sidecar {
    /// Publishes a message that is not processed to the topic `dead_letter`, if there is one; returns whether it is
    /// published.
    pub(super) async fn dead_letter(&self, pubsub: &str, dead_letter: &str, message: &Message) -> bool {
        if dead_letter.is_empty() {
            return false;
        }
        let sent = Message { topic: dead_letter.to_owned(), ..message.clone() };
        let error = match tokio::time::timeout(TIMEOUT, self.publish_message(pubsub, sent)).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {TIMEOUT:?}"),
        };
        tracing::error!(app = self.app_id(), pubsub, topic = message.topic, dead_letter, error, "dead letter not sent");
        false
    }

    /// Publishes messages of one topic to the topic `dead_letter`, if there is one; returns whether all are published.
    pub(super) async fn dead_letters(&self, pubsub: &str, dead_letter: &str, entries: Vec<BulkEntry>) -> bool {
        if dead_letter.is_empty() {
            return false;
        }
        let error = match tokio::time::timeout(TIMEOUT, self.publish_messages(pubsub, dead_letter, entries)).await {
            Ok(Ok(failed)) => match failed.first() {
                None => return true,
                Some(first) => first.error.to_string(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {TIMEOUT:?}"),
        };
        tracing::error!(app = self.app_id(), pubsub, dead_letter, error, "dead letters not sent");
        false
    }
}
