//! Delays between attempts: longer after each failure, reset after a stable run.

use std::time::{Duration, Instant};

/// First and longest delay.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(10);
/// Run time after which the delay is reset.
const RESET_AFTER: Duration = Duration::from_secs(30);

/// Delays between attempts at one operation.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    last: Instant,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST_DELAY, last: Instant::now() }
    }

    /// Returns the delay before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        if self.last.elapsed() > RESET_AFTER {
            self.next = FIRST_DELAY;
        }
        let wait = self.next;
        self.next = (wait * 2).min(MAX_DELAY);
        self.last = Instant::now() + wait;
        wait
    }
}

/// Restarts of one application: delays, and the decision which ones to log.
pub(crate) struct Restarts {
    app: String,
    backoff: Backoff,
    count: u64,
    last_error: String,
}

impl Restarts {
    pub(crate) fn new(app: String) -> Self {
        Self { app, backoff: Backoff::new(), count: 0, last_error: String::new() }
    }

    /// Returns the delay before the next restart. Logs it, except for most repeats of the same error.
    pub(crate) fn next(&mut self, error: &str) -> Duration {
        let next_try = self.backoff.next();
        if self.should_log(error) {
            tracing::error!(app = %self.app, restarts = self.count, ?next_try, "restarting: {error}");
        }
        next_try
    }

    /// Counts a restart. Returns whether to log it: a new error, or repeat 1, 2, 4, 8 and so on.
    fn should_log(&mut self, error: &str) -> bool {
        self.count += 1;
        let is_new = self.last_error != error;
        if is_new {
            error.clone_into(&mut self.last_error);
        }
        is_new || self.count.is_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..9).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }

    #[test]
    fn repeated_error_is_logged_ever_more_rarely() {
        let mut restarts = Restarts::new("a".to_owned());
        let logged: Vec<_> = (1..=17).filter(|_| restarts.should_log("trap")).collect();
        assert_eq!(logged, [1, 2, 4, 8, 16]);
        assert!(restarts.should_log("another"));
    }
}
