//! The time by which values expire: that of day when it was first asked for, and from then on that of the monotonic clock.
//!
//! Whoever sets the machine's clock an hour forward or back makes no value end early or late.

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

/// The time, which never jumps.
pub(super) fn now() -> Timestamp {
    CLOCK.now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_goes_on_by_the_monotonic_clock() {
        // As if the machine's clock had been set back by an hour since.
        let wall = Timestamp::now() + SignedDuration::from_hours(1);
        let clock = SteadyClock { wall, at: Instant::now() };
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.now(), wall + SignedDuration::from_secs(60));
    }
}
