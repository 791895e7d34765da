//! The error of a user who is over the limit.

use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::Problem;

/// Error of a user who is over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests from your address; try again in {} s", self.seconds())]
pub struct RateLimited {
    /// Time until the next request is allowed.
    pub retry_after: Duration,
}

impl RateLimited {
    /// Returns the time to wait in whole seconds, rounded up.
    fn seconds(self) -> u64 {
        self.retry_after.as_secs() + u64::from(self.retry_after.subsec_nanos() > 0)
    }
}

/// 429 with `Retry-After`.
impl From<RateLimited> for Problem {
    fn from(error: RateLimited) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string());
        problem.with_header(RETRY_AFTER, HeaderValue::from(error.seconds()))
    }
}
