//! Shared parts of components that use SQLite: opening files, and a thread per connection.

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
#[cfg(any(feature = "pubsub-sqlite", feature = "state-sqlite"))]
pub(crate) use open::classify;
#[cfg(feature = "bindings-mysql")]
pub(crate) use sandbox::confine;
pub(crate) use thread::SqliteThread;

/// Returns true if the database may be available later. It is locked, or its disk is full or fails.
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
