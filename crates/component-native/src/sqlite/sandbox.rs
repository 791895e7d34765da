//! Confinement of a connection that runs applications' statements to its own database file.
//!
//! SQLite calls the authorizer for each action while it prepares a statement, wherever the action occurs: behind
//! comments, in `EXPLAIN`, in a common table expression or in a trigger. Actions not known to be harmless are denied.

use dapr_building_blocks::InitError;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::open::classify;

/// Limit on the bytes of one value and of one row.
///
/// Some functions (`replace`, `instr`) take quadratic time, and SQLite cannot be interrupted within a function.
const MAX_VALUE_BYTES: i32 = 1024 * 1024;
/// Limit on the bytes of one statement.
const MAX_SQL_BYTES: i32 = 1024 * 1024;
/// Limit on the bytes of a `LIKE` or `GLOB` pattern. Matching time grows with the product of pattern and text.
const MAX_PATTERN_BYTES: i32 = 256;
/// Limit on the memory of all SQLite databases in the process, in bytes. One statement can name thousands of large
/// values.
const MAX_HEAP_BYTES: i64 = 256 * 1024 * 1024;
/// Prepared statements cached per connection.
const CACHED_STATEMENTS: usize = 16;

/// Read-only pragmas about the database itself. Some take the name of a table as their value.
const PRAGMAS_OF_A_TABLE: [&str; 8] = [
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "quick_check",
    "table_info",
    "table_xinfo",
];
/// Pragmas that are read-only without a value. (FTS5 itself uses `data_version`, R-trees use `page_size`.)
const PRAGMAS_WITHOUT_VALUE: [&str; 6] =
    ["data_version", "encoding", "freelist_count", "page_count", "page_size", "user_version"];

/// Functions with access beyond the database: to files, libraries, memory, or the process's log.
const DENIED_FUNCTIONS: [&str; 6] = ["edit", "fts3_tokenizer", "load_extension", "readfile", "sqlite_log", "writefile"];

/// SQLite's name for the database that a connection was opened with. (The other one is `temp`.)
const OWN_DATABASE: &str = "main";

/// Virtual table modules that keep their data in the database.
const VIRTUAL_TABLES: [&str; 3] = ["fts5", "rtree", "rtree_i32"];

/// Confines `connection`. Call this after all other settings.
pub(crate) fn confine(connection: &mut Connection) -> Result<(), InitError> {
    apply(connection).map_err(classify)
}

fn apply(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "hard_heap_limit", MAX_HEAP_BYTES)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.authorizer(Some(
        |context: AuthContext<'_>| {
            if is_allowed(&context) { Authorization::Allow } else { Authorization::Deny }
        },
    ))
}

fn is_allowed(context: &AuthContext<'_>) -> bool {
    let is_in = |name: &str, names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    match &context.action {
        AuthAction::Read { .. }
        | AuthAction::Select
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !is_in(function_name, &DENIED_FUNCTIONS),
        // For this action, SQLite passes the dropped column instead of the database.
        AuthAction::AlterTable { database_name, .. } => is_in(database_name, &[OWN_DATABASE]),
        // Part of `ALTER TABLE`. An application's statement cannot change a schema this way.
        AuthAction::Update { table_name, .. } if *table_name == "sqlite_temp_master" => true,
        // A table, view or trigger in `temp` would outlive the call and change the meaning of others' later statements.
        _ if context.database_name.is_some_and(|name| !name.eq_ignore_ascii_case(OWN_DATABASE)) => false,
        AuthAction::Pragma { pragma_name, pragma_value } => {
            is_in(pragma_name, &PRAGMAS_OF_A_TABLE)
                || (pragma_value.is_none() && is_in(pragma_name, &PRAGMAS_WITHOUT_VALUE))
        }
        AuthAction::CreateVtable { module_name, .. } => is_in(module_name, &VIRTUAL_TABLES),
        AuthAction::Analyze { .. }
        | AuthAction::CreateIndex { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::Delete { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropVtable { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Reindex { .. }
        | AuthAction::Update { .. } => true,
        _ => false,
    }
}
