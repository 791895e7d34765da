//! Extension: a SQLite file instead of a server.

use std::path::PathBuf;
use std::time::Duration;

use dapr_building_blocks::InitError;
use dapr_building_blocks::binding::BindingError;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params_from_iter};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::failed;
use super::params::{Param, Params};
use super::rows::{Row, RowCollector, Rows, binary, float};
use crate::sqlite::{Database, SqliteThread, StatementError, confine, is_unavailable, run_interruptibly};

/// Time to wait for another process that locks the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of one statement. All callers of the binding share one connection.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time that a caller waits for its statement, including the statements queued before it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// Limit on statements that wait for the connection.
const MAX_PENDING_STATEMENTS: usize = 256;
/// Size up to which a statement is cached when prepared, in bytes. Longer ones rarely recur, and take memory.
const MAX_CACHED_SQL_BYTES: usize = 4096;

pub(super) struct File {
    thread: SqliteThread,
    pending: Semaphore,
}

impl File {
    /// Opens the file; creates it and its directory if missing.
    pub(super) async fn open(path: PathBuf) -> Result<Self, InitError> {
        let open = move || {
            let mut connection = Database::at(path, BUSY_TIMEOUT).open()?;
            confine(&mut connection)?;
            Ok::<_, InitError>(connection)
        };
        let connection = tokio::task::spawn_blocking(open).await.map_err(InitError::unavailable)??;
        let thread = SqliteThread::start("sqlite-binding", connection).map_err(InitError::unavailable)?;
        Ok(Self { thread, pending: Semaphore::new(MAX_PENDING_STATEMENTS) })
    }

    pub(super) async fn exec(&self, sql: &str, params: Params) -> Result<u64, BindingError> {
        let sql = sql.to_owned();
        self.run(move |connection| {
            let before = connection.total_changes();
            with_statement(connection, &sql, |statement| {
                let mut rows = statement.query(params_from_iter(params.0))?;
                while rows.next()?.is_some() {}
                Ok(connection.total_changes().saturating_sub(before))
            })
        })
        .await
    }

    pub(super) async fn query(&self, sql: &str, params: Params) -> Result<Rows, BindingError> {
        let sql = sql.to_owned();
        self.run(move |connection| {
            with_statement(connection, &sql, |statement| {
                let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
                let mut rows = statement.query(params_from_iter(params.0))?;
                let mut collected = RowCollector::default();
                while let Some(row) = rows.next()? {
                    collected.push(read_row(&columns, row)?)?;
                }
                Ok(collected.into_rows())
            })
        })
        .await
    }

    /// Runs `work` with a timeout; interrupts it when the caller stops waiting.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StatementError> + Send + 'static,
    ) -> Result<T, BindingError> {
        let Ok(_pending) = self.pending.try_acquire() else {
            return Err(failed(format_args!(
                "{MAX_PENDING_STATEMENTS} statements are already waiting for the database"
            )));
        };
        let cancelled = CancellationToken::new();
        let _cancel_on_drop = cancelled.clone().drop_guard();
        let job = self.thread.run(move |connection| run_interruptibly(connection, STATEMENT_TIMEOUT, &cancelled, work));
        let Ok(done) = tokio::time::timeout(RESPONSE_TIMEOUT, job).await else {
            return Err(failed(format_args!("the database was busy with other statements for {RESPONSE_TIMEOUT:?}")));
        };
        done.map_err(|ended| BindingError::Unavailable(ended.into()))?.map_err(|error| match error {
            StatementError::Sqlite(error) if is_unavailable(&error) => BindingError::Unavailable(error.into()),
            error => failed(error),
        })
    }
}

/// Runs `run` on the prepared `sql`, which is cached unless it is long.
fn with_statement<T>(
    connection: &Connection,
    sql: &str,
    run: impl FnOnce(&mut Statement<'_>) -> Result<T, StatementError>,
) -> Result<T, StatementError> {
    if sql.len() > MAX_CACHED_SQL_BYTES {
        run(&mut connection.prepare(sql)?)
    } else {
        run(&mut *connection.prepare_cached(sql)?)
    }
}

fn read_row(columns: &[String], row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let mut values = Row::new();
    for (index, column) in columns.iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Null => continue,
            ValueRef::Integer(value) => Value::from(value),
            ValueRef::Real(value) => float(value),
            ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
            ValueRef::Blob(bytes) => binary(bytes),
        };
        values.insert(column.clone(), value);
    }
    Ok(values)
}

impl ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(SqlValue::Null),
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            // SQLite has no unsigned integers: values beyond the signed range become floats, as in its own literals.
            #[expect(clippy::cast_precision_loss, reason = "what SQLite does with such a literal")]
            Self::Unsigned(value) => (*value as f64).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
        })
    }
}
