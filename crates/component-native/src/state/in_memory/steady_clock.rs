//! Clock for expiry: starts at the wall-clock time of first use, then follows the monotonic clock.
//!
//! Setting the machine's clock forward or back makes no value expire early or late.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

static CLOCK: LazyLock<SteadyClock> = LazyLock::new(|| SteadyClock { wall: Timestamp::now(), at: Instant::now() });

struct SteadyClock {
    wall: Timestamp,
    at: Instant,
}

impl SteadyClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.at.elapsed()).unwrap_or(SignedDuration::MAX);
        self.wall.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

/// Returns the current time, which never jumps.
pub(super) fn now() -> Timestamp {
    CLOCK.now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clock_follows_monotonic_time() {
        // As if the machine's clock had been set back by an hour in between.
        let wall = Timestamp::now() + SignedDuration::from_hours(1);
        let clock = SteadyClock { wall, at: Instant::now() };
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.now(), wall + SignedDuration::from_secs(60));
    }
}
