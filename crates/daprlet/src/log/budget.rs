//! Limit on an application's log output per second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Duration of one budget period.
const PERIOD: Duration = Duration::from_secs(1);

/// Cost of a line in addition to its text, in bytes. Empty lines are not free.
const LINE_OVERHEAD: usize = 64;

/// Budget of one application.
pub(super) struct Budget {
    /// Bytes per second.
    limit: usize,
    period: Mutex<Period>,
}

struct Period {
    begin: Instant,
    used: usize,
    /// Dropped lines that are not reported yet.
    dropped: u64,
}

/// Decision about a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The line is logged, after a notice about `dropped` lines if there are any.
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
        if period.used > 0 && period.used + length + LINE_OVERHEAD > self.limit {
            period.dropped += 1;
            return Verdict::Drop;
        }
        period.used += length + LINE_OVERHEAD;
        Verdict::Log { dropped: std::mem::take(&mut period.dropped) }
    }

    /// Takes the number of dropped lines that are not reported yet.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.period.lock().unwrap_or_else(PoisonError::into_inner).dropped)
    }

    /// Returns the limit in KiB per second.
    pub(super) const fn kib(&self) -> usize {
        self.limit >> 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_over_budget_are_dropped_and_reported_once() {
        let begin = Instant::now();
        let budget = Budget::new(10 * (LINE_OVERHEAD + 36), begin);
        let lines: Vec<_> = (0..14).map(|_| budget.decide(36, begin)).collect();
        assert_eq!(lines.iter().filter(|verdict| **verdict == Verdict::Drop).count(), 4);
        let later = begin + PERIOD;
        assert_eq!(budget.decide(36, later), Verdict::Log { dropped: 4 });
        assert_eq!(budget.decide(1 << 20, later), Verdict::Drop);
        assert_eq!((budget.take_dropped(), budget.take_dropped()), (1, 0));
        assert_eq!(budget.decide(1 << 20, later + PERIOD), Verdict::Log { dropped: 0 });
    }
}
