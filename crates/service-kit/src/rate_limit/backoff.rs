//! How long to wait before a record is read once more.

use std::time::Duration;

/// The wait after the first attempt, at most.
const FIRST: Duration = Duration::from_micros(250);

/// No wait is longer, so that a contended record is settled well within a request's deadline.
const LONGEST: Duration = Duration::from_millis(8);

/// The wait after a lost attempt, the first being 0. It is random, so that those who met once do not meet again.
pub(super) fn after(attempt: u32) -> Duration {
    FIRST.saturating_mul(2u32.saturating_pow(attempt)).min(LONGEST).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_none_is_long() {
        assert!(after(0) <= FIRST);
        assert!((0..100).all(|attempt| after(attempt) <= LONGEST));
        assert!((0..100).any(|_| after(10) > FIRST));
    }
}
