//! What an event says.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something that a service did for a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since the beginning of 1970.
    pub event_ts: u64,
    /// What, such as `grayscale`.
    pub op_type: String,
    /// To how many bytes.
    pub input_size: u64,
    /// The idempotency key: the recorder takes each id once.
    pub event_id: String,
}

impl Event {
    /// An event of now, with an id of its own.
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
