//! Runs statements that may be interrupted, and leaves no transaction behind.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

/// SQLite's instructions between two looks at the clock: some microseconds, which a look costs a hundredth of.
const INSTRUCTIONS_BETWEEN_CHECKS: i32 = 1000;

/// Why a statement of an application failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatementError {
    /// SQLite said so.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the statement was interrupted: it took longer than {0:?}")]
    TimedOut(Duration),
    #[error("the statement was interrupted: its caller is gone")]
    Cancelled,
    #[error("the statement left a transaction open, which was rolled back: each call is a transaction of its own")]
    OpenTransaction,
    /// The result is larger than may be answered.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// A result with more rows or bytes than may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result is larger than {max} {unit}: ask for less, for example with LIMIT")]
pub(crate) struct TooLarge {
    pub(crate) max: usize,
    pub(crate) unit: &'static str,
}

/// Runs `work` for `timeout` at most, and only as long as it is not `cancelled`.
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
