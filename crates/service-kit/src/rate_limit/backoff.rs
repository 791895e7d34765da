//! Retry delay after a lost race for a record.

use std::time::Duration;

/// Upper bound of the first delay.
const MAX_FIRST_DELAY: Duration = Duration::from_micros(250);

/// Longest delay, so that a contended record is settled well within a request's deadline.
const MAX_DELAY: Duration = Duration::from_millis(8);

/// Returns the delay after a lost attempt, counted from 0. It is random, so that contenders spread out.
pub(super) fn delay(attempt: u32) -> Duration {
    MAX_FIRST_DELAY.saturating_mul(2u32.saturating_pow(attempt)).min(MAX_DELAY).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_limit() {
        assert!(delay(0) <= MAX_FIRST_DELAY);
        assert!((0..100).all(|attempt| delay(attempt) <= MAX_DELAY));
        assert!((0..100).any(|_| delay(10) > MAX_FIRST_DELAY));
    }
}
