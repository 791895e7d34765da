//! What the components on SQLite share: how a database file is opened, and the thread that works on it.

mod open;
mod thread;

use rusqlite::ErrorCode;

pub(crate) use open::Database;
#[cfg(feature = "state-sqlite")]
pub(crate) use open::classify;
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
