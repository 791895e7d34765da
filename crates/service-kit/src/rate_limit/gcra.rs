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
        let latest = now_us.saturating_add(window);
        // A record from a fast clock must not lock its user out: one request goes through and leaves a record of this clock.
        let tat_us = tat_us.map(|tat| if tat > latest { latest.saturating_sub(self.interval_us) } else { tat });
        let tat = tat_us.unwrap_or(now_us).max(now_us);
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
    fn clock_that_was_set_back_limits_for_one_burst_at_most() {
        let policy = Policy::per_minute(60, 3).unwrap();
        let hour = 3600 * SECOND;
        let Decision::Allowed { tat_us } = policy.decide(10 * SECOND, Some(hour)) else { panic!("one goes through") };
        assert_eq!(tat_us, 13 * SECOND, "as after a full burst");
        assert!(matches!(policy.decide(10 * SECOND, Some(tat_us)), Decision::Limited { .. }));
        assert!(matches!(policy.decide(13 * SECOND, Some(tat_us)), Decision::Allowed { .. }));
    }

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
    fn zero_limit_is_no_limit() {
        assert_eq!(Policy::per_minute(0, 5), None);
    }
}
