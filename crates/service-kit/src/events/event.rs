//! The event record.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Clock, SystemClock};

/// An operation that a service did for a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Time in milliseconds since the Unix epoch.
    pub event_ts: u64,
    /// Operation, such as `grayscale`.
    pub op_type: String,
    /// Size of the input in bytes.
    pub input_size: u64,
    /// Idempotency key: the recorder stores each id once.
    pub event_id: String,
}

impl Event {
    /// Creates an event that happens now, with a new id.
    #[must_use]
    pub fn now(op_type: &str, input_size: usize) -> Self {
        Self::new(SystemClock.now(), op_type, input_size)
    }

    /// Creates an event for the time `now`, with a new id.
    #[must_use]
    pub fn new(now: Duration, op_type: &str, input_size: usize) -> Self {
        Self {
            event_ts: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            op_type: op_type.to_owned(),
            input_size: input_size as u64,
            event_id: uuid::Uuid::new_v4().to_string(),
        }
    }
}
