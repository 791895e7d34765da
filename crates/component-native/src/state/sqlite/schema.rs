//! Tables and their migrations as in Dapr. `components-contrib/state/sqlite/sqlite_migrations.go`.
//!
//! A row `migrations` in the metadata table counts the migrations of the file. A file that a later Dapr has migrated
//! further keeps its number: all statements name the columns that they use, so additional columns do no harm.

use dapr_building_blocks::InitError;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::row::Tables;
use crate::sqlite::classify;

/// Creates missing tables in one exclusive transaction, as another process may be opening the same file.
pub(super) fn migrate(connection: &mut Connection, tables: &Tables) -> Result<(), InitError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(classify)?;
    let level = level(&transaction, tables)?;
    if level == 0 {
        create_state_table(&transaction, tables).map_err(classify)?;
        let done = format!("REPLACE INTO {} (key, value) VALUES ('migrations', '1')", tables.metadata);
        transaction.execute(&done, []).map_err(classify)?;
    }
    transaction.commit().map_err(classify)
}

fn level(transaction: &Transaction<'_>, tables: &Tables) -> Result<u32, InitError> {
    let create =
        format!("CREATE TABLE IF NOT EXISTS {} (key text NOT NULL PRIMARY KEY, value text NOT NULL)", tables.metadata);
    transaction.execute(&create, []).map_err(classify)?;
    let query = format!("SELECT value FROM {} WHERE key = 'migrations'", tables.metadata);
    let level: Option<String> = transaction.query_row(&query, [], |row| row.get(0)).optional().map_err(classify)?;
    match level {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| {
            InitError::misconfigured(format!("the table {} has no valid migration level", tables.metadata))
        }),
    }
}

fn create_state_table(transaction: &Transaction<'_>, tables: &Tables) -> rusqlite::Result<()> {
    // IF NOT EXISTS, because Dapr before 1.11 had this table and no metadata table.
    transaction.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {} (
            key TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL,
            is_binary BOOLEAN NOT NULL,
            etag TEXT NOT NULL,
            expiration_time TIMESTAMP DEFAULT NULL,
            update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        )",
        tables.state
    ))
}
