//! What the components on SQLite share: how a database file is opened, and the thread that works on it.

#[cfg(feature = "bindings-mysql")]
mod interruptible;
mod open;
#[cfg(feature = "bindings-mysql")]
mod sandbox;
mod thread;

use rusqlite::ErrorCode;

#[cfg(feature = "bindings-mysql")]
pub(crate) use interruptible::{StatementError, TooLarge, run_interruptibly};
pub(crate) use open::Database;
#[cfg(feature = "state-sqlite")]
pub(crate) use open::classify;
#[cfg(feature = "bindings-mysql")]
pub(crate) use sandbox::confine;
pub(crate) use thread::SqliteThread;

/// Whether the database cannot be used now and may be later: it is locked, or its disk is full or fails.
pub(crate) fn is_unavailable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
        )
    )
}
