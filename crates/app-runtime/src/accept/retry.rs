//! Retries of `accept` after a failure, with one log line for the first and one when it works again.

use std::io;
use std::time::Duration;

/// The delays after the first failure and after many. Out of descriptors, most likely, so that others have to end first.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(20);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// The failures of one listener's `accept` since it last worked.
#[derive(Debug, Default)]
pub(crate) struct AcceptRetry {
    failures: u32,
}

impl AcceptRetry {
    /// The delay before the next attempt. Logs the first failure.
    pub(crate) fn failed(&mut self, listener: &str, error: &io::Error) -> Duration {
        if self.failures == 0 {
            tracing::warn!(listener, %error, "no connections are accepted for now");
        }
        let delay = FIRST_RETRY_DELAY.saturating_mul(1 << self.failures.min(8)).min(MAX_RETRY_DELAY);
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// Logs that connections are accepted again.
    pub(crate) fn succeeded(&mut self, listener: &str) {
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!(listener, "connections are accepted again");
        }
    }
}

/// True for an error of the one connection, after which the listener still accepts.
pub(crate) fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::NotConnected
            | Kind::InvalidInput
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_grows_to_a_second_and_starts_anew() {
        let mut retry = AcceptRetry::default();
        let error = io::Error::from_raw_os_error(24);
        let delays: Vec<u128> = (0..9).map(|_| retry.failed("a port", &error).as_millis()).collect();
        assert_eq!(delays, [20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
        retry.succeeded("a port");
        assert_eq!(retry.failed("a port", &error), FIRST_RETRY_DELAY);
    }
}
