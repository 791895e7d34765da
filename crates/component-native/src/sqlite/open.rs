//! Opening of SQLite databases with durable commits: write-ahead log, full synchronisation.

use std::path::PathBuf;
use std::time::Duration;

use dapr_building_blocks::InitError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// Prepared statements cached per connection; more than any component here has.
const STATEMENTS: usize = 64;

/// Database and its open options.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Database file; `None` for a database in memory.
    pub(crate) file: Option<PathBuf>,
    /// True to use a write-ahead log. Readers and the writer then do not wait for each other. Not for file systems
    /// without shared memory (network mounts).
    pub(crate) write_ahead_log: bool,
    /// Time to wait for another process that holds a lock.
    pub(crate) busy_timeout: Duration,
    /// Further `PRAGMA name = value` settings.
    pub(crate) pragmas: Vec<(String, String)>,
    pub(crate) read_only: bool,
}

impl Database {
    /// Returns a database in `file` with the defaults.
    ///
    /// Created with its directory if missing, with a write-ahead log.
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
                InitError::misconfigured(format!("cannot create the directory {}: {error}", folder.display()))
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
        // With FULL, a commit waits until its log is on disk, so that it survives a power failure and not only a killed
        // process.
        connection.pragma_update(None, "synchronous", "FULL").map_err(classify)?;
        for (name, value) in &self.pragmas {
            connection.pragma_update(None, name, value).map_err(classify)?;
        }
        Ok(connection)
    }
}

/// Classifies an error: a locked database may be available later; anything else is a configuration error.
pub(crate) fn classify(error: rusqlite::Error) -> InitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => InitError::unavailable(error),
        _ => InitError::misconfigured(error),
    }
}
