//! The time of day, behind a trait for tests.

use std::time::{Duration, SystemTime};

/// Source of the current time.
pub trait Clock: Send + Sync {
    /// Returns the time since the Unix epoch.
    fn now(&self) -> Duration;
}

/// The system clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A clock set before 1970 counts as the epoch.
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod fixed {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Clock, Duration};

    /// A clock that tests move by hand.
    pub(crate) struct FixedClock(AtomicU64);

    impl FixedClock {
        pub(crate) fn at_ms(ms: u64) -> Self {
            Self(AtomicU64::new(ms))
        }

        pub(crate) fn advance_ms(&self, ms: u64) {
            self.0.fetch_add(ms, Ordering::Relaxed);
        }
    }

    impl Clock for FixedClock {
        fn now(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
    }
}
