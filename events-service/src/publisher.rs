//! Publishes recorded events, for whoever subscribes.

use std::sync::atomic::{AtomicBool, Ordering};

use dapr_client::Dapr;
use service_kit::{Log, StderrLog};

use crate::event::NewEvent;

/// Topic of recorded events.
pub const TOPIC: &str = "image-events";

/// Publishes to one broker. The table is what counts: an event is recorded even where there is no broker.
pub(crate) struct Publisher {
    dapr: Dapr,
    /// Name of the broker; empty for none.
    pubsub: String,
    /// The last message was not published, which is told.
    is_failing: AtomicBool,
}

impl Publisher {
    pub(crate) fn new(dapr: Dapr, pubsub: String) -> Self {
        Self { dapr, pubsub, is_failing: AtomicBool::new(false) }
    }

    /// Publishes an event that is recorded.
    pub(crate) async fn publish(&self, event: &NewEvent) {
        if self.pubsub.is_empty() {
            return;
        }
        let published = self.dapr.topic(&self.pubsub, TOPIC).publish(event).await;
        let was_failing = self.is_failing.swap(published.is_err(), Ordering::Relaxed);
        match published {
            Err(error) if !was_failing => StderrLog.line(&format!("recorded events are not published: {error}")),
            Ok(()) if was_failing => StderrLog.line("recorded events are published again"),
            _ => {}
        }
    }
}
