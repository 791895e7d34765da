//! Waiting longer after each failure, and starting over once things went well for a while.

use std::time::{Duration, Instant};

/// The first wait and the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// Something that ran this long had recovered.
const STABLE: Duration = Duration::from_secs(30);

/// The waits between attempts at one thing.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..9).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }
}
