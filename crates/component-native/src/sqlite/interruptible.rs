//! Interruptible execution of statements, which leaves no transaction open.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

/// SQLite instructions between two checks of the clock: some microseconds, of which a check costs a hundredth.
const INSTRUCTIONS_BETWEEN_CHECKS: i32 = 1000;

/// Reason why an application's statement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatementError {
    /// Error from SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the statement was interrupted: it took longer than {0:?}")]
    TimedOut(Duration),
    #[error("the statement was interrupted: its caller stopped waiting")]
    Cancelled,
    #[error("the statement left a transaction open, which was rolled back: each call is a transaction of its own")]
    OpenTransaction,
    /// Result beyond the response limits.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Result with more rows or bytes than a response may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result is larger than {max} {unit}: ask for less, for example with LIMIT")]
pub(crate) struct TooLarge {
    pub(crate) max: usize,
    pub(crate) unit: &'static str,
}

/// Runs `work` for at most `timeout`, and stops it when `cancelled`.
pub(crate) fn run_interruptibly<T>(
    connection: &mut Connection,
    timeout: Duration,
    cancelled: &CancellationToken,
    work: impl FnOnce(&Connection) -> Result<T, StatementError>,
) -> Result<T, StatementError> {
    if cancelled.is_cancelled() {
        return Err(StatementError::Cancelled);
    }
    let deadline = Instant::now() + timeout;
    let caller = cancelled.clone();
    let is_over = move || caller.is_cancelled() || Instant::now() >= deadline;
    connection.progress_handler(INSTRUCTIONS_BETWEEN_CHECKS, Some(is_over))?;
    let done = work(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    let left_open = !connection.is_autocommit();
    if left_open {
        connection.execute_batch("ROLLBACK")?;
    }
    match done {
        Err(StatementError::Sqlite(error))
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
        {
            let why =
                if cancelled.is_cancelled() { StatementError::Cancelled } else { StatementError::TimedOut(timeout) };
            Err(why)
        }
        Ok(_) if left_open => Err(StatementError::OpenTransaction),
        done => done,
    }
}
