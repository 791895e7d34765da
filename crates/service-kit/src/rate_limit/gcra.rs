//! The generic cell rate algorithm: a leaky bucket that is a single timestamp.
//!
//! Each request moves the user's theoretical arrival time (TAT) one interval into the future. If the TAT is further
//! ahead than the burst allows, the user is over the limit.

use std::time::Duration;

/// A limit: a long-run rate per minute, and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    interval_us: u64,
    burst: u64,
}

/// Decision about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The request goes through; the user's new TAT.
    Allowed { tat_us: u64 },
    /// The request is over the limit.
    Limited { retry_after: Duration },
}

impl Policy {
    /// Creates a limit of `per_minute` requests, of which `burst` may come at once. `None` if `per_minute` is zero: no
    /// limit.
    #[must_use]
    pub fn per_minute(per_minute: u32, burst: u32) -> Option<Self> {
        let interval_us = 60_000_000u64.checked_div(per_minute.into())?;
        Some(Self { interval_us: interval_us.max(1), burst: u64::from(burst).max(1) })
    }

    /// Decides at `now_us` about a user with a known TAT, or a new user.
    pub(super) fn decide(&self, now_us: u64, tat_us: Option<u64>) -> Decision {
        let window = self.interval_us.saturating_mul(self.burst);
        // A record from a fast clock must not lock its user out for longer than a full burst would.
        let tat = tat_us.unwrap_or(now_us).clamp(now_us, now_us.saturating_add(window));
        let next = tat.saturating_add(self.interval_us);
        match next.saturating_sub(window).checked_sub(now_us) {
            Some(wait @ 1..) => Decision::Limited { retry_after: Duration::from_micros(wait) },
            _ => Decision::Allowed { tat_us: next },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn request_after_a_burst_waits_one_interval() {
        let policy = Policy::per_minute(60, 3).unwrap();
        let mut tat = None;
        for _ in 0..3 {
            let Decision::Allowed { tat_us } = policy.decide(0, tat) else { panic!("a burst of three is allowed") };
            tat = Some(tat_us);
        }
        let limited = Decision::Limited { retry_after: Duration::from_secs(1) };
        assert_eq!(policy.decide(0, tat), limited);
        assert_eq!(policy.decide(SECOND, tat), Decision::Allowed { tat_us: 4 * SECOND });
    }

    #[test]
    fn idle_user_gets_no_more_than_the_burst() {
        let policy = Policy::per_minute(60, 1).unwrap();
        assert_eq!(policy.decide(100 * SECOND, Some(SECOND)), Decision::Allowed { tat_us: 101 * SECOND });
    }

    #[test]
    fn record_from_the_future_limits_only_briefly() {
        let policy = Policy::per_minute(60, 5).unwrap();
        let Decision::Limited { retry_after } = policy.decide(0, Some(u64::MAX)) else { panic!("limited") };
        assert_eq!(retry_after, Duration::from_secs(1));
    }

    #[test]
    fn zero_limit_is_no_limit() {
        assert_eq!(Policy::per_minute(0, 5), None);
    }
}
