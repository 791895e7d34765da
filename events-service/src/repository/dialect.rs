//! Differences between MySQL and SQLite.

/// An SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// MySQL, MariaDB and TiDB.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    pub(super) fn create_table(self) -> &'static str {
        match self {
            Self::MySql => {
                "CREATE TABLE IF NOT EXISTS image_evts (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
                 event_ts BIGINT NOT NULL, op_type VARCHAR(50) NOT NULL, input_size INT NOT NULL, event_id VARCHAR(36) NULL) \
                 DEFAULT CHARACTER SET utf8mb4"
            }
            Self::Sqlite => {
                "CREATE TABLE IF NOT EXISTS image_evts (id INTEGER PRIMARY KEY AUTOINCREMENT, \
                 event_ts INTEGER NOT NULL, op_type TEXT NOT NULL, input_size INTEGER NOT NULL, event_id TEXT NULL)"
            }
        }
    }

    /// Counts the column that tables of the WasmEdge template do not have.
    pub(super) fn count_column(self) -> &'static str {
        match self {
            Self::MySql => {
                "SELECT COUNT(*) AS n FROM information_schema.columns WHERE table_schema = DATABASE() \
                 AND table_name = 'image_evts' AND column_name = 'event_id'"
            }
            Self::Sqlite => "SELECT COUNT(*) AS n FROM pragma_table_info('image_evts') WHERE name = 'event_id'",
        }
    }

    pub(super) fn count_index(self) -> &'static str {
        match self {
            Self::MySql => {
                "SELECT COUNT(*) AS n FROM information_schema.statistics WHERE table_schema = DATABASE() \
                 AND table_name = 'image_evts' AND index_name = 'image_evts_event_id'"
            }
            Self::Sqlite => {
                "SELECT COUNT(*) AS n FROM pragma_index_list('image_evts') WHERE name = 'image_evts_event_id'"
            }
        }
    }

    /// Inserts an event unless its id exists. Not `INSERT IGNORE`, which also ignores all other errors.
    pub(super) fn insert(self) -> &'static str {
        match self {
            Self::MySql => {
                "INSERT INTO image_evts (event_ts, op_type, input_size, event_id) VALUES (?, ?, ?, ?) \
                 ON DUPLICATE KEY UPDATE id = id"
            }
            Self::Sqlite => {
                "INSERT INTO image_evts (event_ts, op_type, input_size, event_id) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (event_id) DO NOTHING"
            }
        }
    }
}
