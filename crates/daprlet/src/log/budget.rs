//! The lines that an application may log in a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time for which a budget lasts.
const PERIOD: Duration = Duration::from_secs(1);

/// What a line costs beside its text, in bytes: so many empty lines are not free.
const LINE: usize = 64;

/// One application's budget.
pub(super) struct Budget {
    /// Bytes a second.
    limit: usize,
    period: Mutex<Period>,
}

struct Period {
    begin: Instant,
    used: usize,
    /// Lines dropped and not told yet.
    dropped: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is logged, after a line that tells how many were dropped, if any were.
    Log {
        dropped: u64,
    },
    Drop,
}

impl Budget {
    pub(super) fn new(limit: usize, now: Instant) -> Self {
        Self { limit, period: Mutex::new(Period { begin: now, used: 0, dropped: 0 }) }
    }

    /// Decides on a line of `length` bytes. The first line of a period is always logged.
    pub(super) fn decide(&self, length: usize, now: Instant) -> Verdict {
        let mut period = self.period.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(period.begin) >= PERIOD {
            (period.begin, period.used) = (now, 0);
        }
        if period.used > 0 && period.used + length + LINE > self.limit {
            period.dropped += 1;
            return Verdict::Drop;
        }
        period.used += length + LINE;
        Verdict::Log { dropped: std::mem::take(&mut period.dropped) }
    }

    /// Takes the number of lines that were dropped and not told.
    pub(super) fn untold(&self) -> u64 {
        std::mem::take(&mut self.period.lock().unwrap_or_else(PoisonError::into_inner).dropped)
    }

    /// The limit in KiB a second.
    pub(super) const fn kib(&self) -> usize {
        self.limit >> 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_over_budget_are_dropped_and_told_once() {
        let begin = Instant::now();
        let budget = Budget::new(10 * (LINE + 36), begin);
        let lines: Vec<_> = (0..14).map(|_| budget.decide(36, begin)).collect();
        assert_eq!(lines.iter().filter(|verdict| **verdict == Verdict::Drop).count(), 4);
        let later = begin + PERIOD;
        assert_eq!(budget.decide(36, later), Verdict::Log { dropped: 4 });
        assert_eq!(budget.decide(1 << 20, later), Verdict::Drop);
        assert_eq!((budget.untold(), budget.untold()), (1, 0));
        assert_eq!(budget.decide(1 << 20, later + PERIOD), Verdict::Log { dropped: 0 });
    }
}
