//! Opening a SQLite database so that what is acknowledged stays: write-ahead log, full synchronisation.

use std::path::PathBuf;
use std::time::Duration;

use building_blocks::InitError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// Prepared statements kept for each connection; more than any component here has.
const STATEMENTS: usize = 64;

/// A database and how to open it.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Its file; `None` for one in memory.
    pub(crate) file: Option<PathBuf>,
    /// Whether changes go to a write-ahead log, so that readers and the writer do not wait for each other. Not for
    /// file systems that cannot share memory (network mounts).
    pub(crate) write_ahead_log: bool,
    /// How long to wait for another process that holds a lock.
    pub(crate) busy_timeout: Duration,
    /// Further `PRAGMA name = value`.
    pub(crate) pragmas: Vec<(String, String)>,
    pub(crate) read_only: bool,
}

impl Database {
    /// A file with the defaults: created with its folder if missing, write-ahead log.
    pub(crate) fn at(file: PathBuf, busy_timeout: Duration) -> Self {
        Self { file: Some(file), write_ahead_log: true, busy_timeout, pragmas: Vec::new(), read_only: false }
    }

    /// Opens one connection. Blocks.
    pub(crate) fn open(&self) -> Result<Connection, InitError> {
        let Some(file) = &self.file else {
            let connection = Connection::open_in_memory().map_err(classify)?;
            return self.configure(connection);
        };
        if let Some(folder) = file.parent()
            && !self.read_only
        {
            std::fs::create_dir_all(folder).map_err(|error| {
                InitError::misconfigured(format!("cannot create the folder {}: {error}", folder.display()))
            })?;
        }
        let access = if self.read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| InitError::misconfigured(format!("cannot open {}: {error}", file.display())))?;
        self.configure(connection)
    }

    fn configure(&self, connection: Connection) -> Result<Connection, InitError> {
        connection.busy_timeout(self.busy_timeout).map_err(classify)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let journal = match &self.file {
            None => "MEMORY",
            Some(_) if self.write_ahead_log && !self.read_only => "WAL",
            Some(_) => "DELETE",
        };
        connection.pragma_update(None, "journal_mode", journal).map_err(classify)?;
        // FULL makes a commit wait until its log is on the disk: it outlives a power cut, not only a killed process.
        connection.pragma_update(None, "synchronous", "FULL").map_err(classify)?;
        for (name, value) in &self.pragmas {
            connection.pragma_update(None, name, value).map_err(classify)?;
        }
        Ok(connection)
    }
}

/// A database that another process holds may be free later; everything else is for a person to mend.
pub(crate) fn classify(error: rusqlite::Error) -> InitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => InitError::unavailable(error),
        _ => InitError::misconfigured(error),
    }
}
