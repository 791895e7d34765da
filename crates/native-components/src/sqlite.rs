//! What the components on SQLite share: how a database file is opened, and the thread that works on it.

mod open;
mod thread;

pub(crate) use open::Database;
#[cfg(feature = "state-sqlite")]
pub(crate) use open::classify;
pub(crate) use thread::SqliteThread;
