//! Delays between attempts: longer after each failure, reset after a stable run.

use std::time::{Duration, Instant};

/// First and longest delay.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(10);
/// Run time after which the delay is reset.
const RESET_AFTER: Duration = Duration::from_secs(30);

/// Delays between attempts at one operation: 0.1 s to 10 s.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    last: Instant,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST_DELAY, last: Instant::now() }
    }
}

impl Backoff {
    /// Returns the delay before the next attempt, and doubles the one after it.
    pub fn next_delay(&mut self) -> Duration {
        if self.last.elapsed() > RESET_AFTER {
            self.next = FIRST_DELAY;
        }
        let delay = self.next;
        self.next = (delay * 2).min(MAX_DELAY);
        self.last = Instant::now() + delay;
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..9).map(|_| backoff.next_delay().as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }
}
