//! The message of the publisher and the subscriber.

use serde::{Deserialize, Serialize};

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Number of the order.
    pub number: u32,
}
