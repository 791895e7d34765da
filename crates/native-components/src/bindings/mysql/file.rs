//! The extension: a SQLite file in the place of a server.

use std::path::PathBuf;
use std::time::Duration;

use building_blocks::InitError;
use building_blocks::binding::BindingError;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};
use serde_json::Value;

use super::failed;
use super::params::{Param, Params};
use super::rows::{Row, Rows, binary, float};
use crate::sqlite::{Database, SqliteThread, is_unavailable};

/// How long to wait for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct File(SqliteThread);

impl File {
    /// Opens the file, and makes it and its folder if they are missing.
    pub(super) async fn open(path: PathBuf) -> Result<Self, InitError> {
        let open = move || Database::at(path, BUSY_TIMEOUT).open();
        let connection = tokio::task::spawn_blocking(open).await.map_err(InitError::unavailable)??;
        SqliteThread::start("sqlite-binding", connection).map(Self).map_err(InitError::unavailable)
    }

    pub(super) async fn exec(&self, sql: &str, params: Params) -> Result<u64, BindingError> {
        let sql = sql.to_owned();
        self.run(move |connection| {
            let before = connection.total_changes();
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(params.0))?;
            while rows.next()?.is_some() {}
            Ok(connection.total_changes().saturating_sub(before))
        })
        .await
    }

    pub(super) async fn query(&self, sql: &str, params: Params) -> Result<Rows, BindingError> {
        let sql = sql.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let rows = statement.query_map(params_from_iter(params.0), |row| read_row(&columns, row))?;
            rows.collect()
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BindingError> {
        let done = self.0.run(move |connection| work(connection)).await;
        done.map_err(|ended| BindingError::Unavailable(ended.into()))?.map_err(|error| {
            if is_unavailable(&error) { BindingError::Unavailable(error.into()) } else { failed(error) }
        })
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
            // SQLite has no unsigned integers: what exceeds the signed ones becomes a float, as in its own literals.
            #[expect(clippy::cast_precision_loss, reason = "what SQLite does with such a literal")]
            Self::Unsigned(value) => (*value as f64).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
        })
    }
}
