//! Restarts of one application: delays, and the decision which ones to log.

use std::sync::Arc;
use std::time::Duration;

use dapr_runtime::Backoff;

use crate::snapshot::AppStatus;

/// Restarts of one application.
pub(crate) struct Restarts {
    app: String,
    status: Arc<AppStatus>,
    backoff: Backoff,
}

impl Restarts {
    pub(crate) fn new(app: String, status: Arc<AppStatus>) -> Self {
        Self { app, status, backoff: Backoff::default() }
    }

    /// Returns the delay before the next restart. Logs it, except for most repeats of the same error.
    pub(crate) fn next(&mut self, error: &str) -> Duration {
        let next_try = self.backoff.next_delay();
        if self.should_log(error) {
            tracing::error!(app = %self.app, restarts = self.status.restarts(), ?next_try, "restarting: {error}");
        }
        next_try
    }

    /// Counts a restart. Returns whether to log it: a new error, or repeat 1, 2, 4, 8 and so on.
    fn should_log(&mut self, error: &str) -> bool {
        let is_new = self.status.last_error().as_deref() != Some(error);
        self.status.record_restart(error).is_power_of_two() || is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_error_is_logged_ever_more_rarely() {
        let mut restarts = Restarts::new("a".to_owned(), Arc::default());
        let logged: Vec<_> = (1..=17).filter(|_| restarts.should_log("trap")).collect();
        assert_eq!(logged, [1, 2, 4, 8, 16]);
        assert!(restarts.should_log("another"));
    }
}
