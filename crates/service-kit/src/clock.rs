//! The time of day, behind a seam.

use std::time::{Duration, SystemTime};

/// Tells the time. Tests hold one that stands still.
pub trait Clock: Send + Sync {
    /// The time since the beginning of 1970.
    fn now(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A clock set before 1970 is as good as none.
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod fixed {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Clock, Duration};

    /// A clock that moves only when told to.
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
