//! Limits log lines about rejected requests, so that a client cannot fill the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Minimum time between two log lines.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Counter of an application's rejected requests.
#[derive(Debug, Default)]
pub struct RejectionLog(Mutex<LogState>);

#[derive(Debug, Default)]
struct LogState {
    last: Option<Instant>,
    /// Rejections since the last log line.
    count: u64,
}

impl RejectionLog {
    /// Counts rejected requests; returns the number since the last log line, if one is due.
    pub fn count(&self, requests: u64) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += requests;
        if state.count == 0 || state.last.is_some_and(|last| last.elapsed() < LOG_INTERVAL) {
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_rejection_is_logged_and_the_next_are_counted() {
        let log = RejectionLog::default();
        assert_eq!([log.count(0), log.count(1), log.count(2)], [None, Some(1), None]);
        log.0.lock().unwrap().last = None;
        assert_eq!(log.count(1), Some(3));
    }
}
