//! Delays between attempts: longer after each failure, short again once things went well for a while.

use std::time::{Duration, Instant};

/// The first delay and the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A run of this length counts as recovered.
const STABLE: Duration = Duration::from_secs(30);

/// The delays between attempts at one thing.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    last: Instant,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST, last: Instant::now() }
    }

    /// How long to wait before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        if self.last.elapsed() > STABLE {
            self.next = FIRST;
        }
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        self.last = Instant::now() + wait;
        wait
    }
}

/// The restarts of one application: how long to wait before each, and which are worth a log line.
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

    /// The delay before the next restart. Tells it, unless the same error was told before and comes again and again.
    pub(crate) fn next(&mut self, error: &str) -> Duration {
        let next_try = self.backoff.next();
        if self.note(error) {
            tracing::error!(app = %self.app, restarts = self.count, ?next_try, "restarting: {error}");
        }
        next_try
    }

    /// Counts a restart; says whether it is worth a line: a new error, or the 1st, 2nd, 4th, 8th ... time of the same.
    fn note(&mut self, error: &str) -> bool {
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
    fn repeated_error_is_told_ever_more_rarely() {
        let mut restarts = Restarts::new("a".to_owned());
        let told: Vec<_> = (1..=17).filter(|_| restarts.note("trap")).collect();
        assert_eq!(told, [1, 2, 4, 8, 16]);
        assert!(restarts.note("another"));
    }
}
