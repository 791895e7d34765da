//! Retries `accept` after errors; logs the first error and the recovery.

use std::io;
use std::time::Duration;

/// Delays after the first error and after many.
///
/// The likely cause is a lack of descriptors, so other connections have to end first.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(20);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Consecutive `accept` errors of one listener.
#[derive(Debug, Default)]
pub(crate) struct AcceptRetry {
    failures: u32,
}

impl AcceptRetry {
    /// Returns the delay before the next attempt. Logs the first error.
    pub(crate) fn failed(&mut self, listener: &str, error: &io::Error) -> Duration {
        if self.failures == 0 {
            tracing::warn!(listener, %error, "cannot accept connections; retrying");
        }
        let delay = FIRST_RETRY_DELAY.saturating_mul(1 << self.failures.min(8)).min(MAX_RETRY_DELAY);
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// Logs that accepting works again.
    pub(crate) fn succeeded(&mut self, listener: &str) {
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!(listener, "accepting connections again");
        }
    }
}

/// Returns whether the error concerns one connection, so that the listener still accepts.
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
