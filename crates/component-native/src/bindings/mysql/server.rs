//! Server that speaks the MySQL protocol.

mod columns;

use std::io::ErrorKind;
use std::time::Duration;

use dapr_building_blocks::binding::BindingError;
use dapr_building_blocks::{Context, InitError, Properties};
use futures_util::TryStreamExt;
use sqlx::mysql::{MySql, MySqlArguments, MySqlConnectOptions, MySqlDatabaseError, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, MySqlPool};

use super::params::{Param, Params};
use super::rows::{RowCollector, Rows};
use super::{dsn, failed};

/// Timeout of a connection attempt; Dapr's default for the initialisation of a component.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of `maxOpenConns`. (Go has no limit; the server has one.)
const DEFAULT_CONNECTIONS: u32 = 32;

/// Server error: the statement cannot be prepared.
const UNSUPPORTED_PREPARED: u16 = 1295;
/// Server errors: access denied. Retrying does not help.
const DENIED: [u16; 3] = [1044, 1045, 1698];

/// Time to wait for a pooled connection before checking that the server is up.
const REACHABILITY_CHECK_DELAY: Duration = Duration::from_millis(100);

pub(super) struct Server(MySqlPool);

impl Server {
    pub(super) async fn connect(properties: &Properties, context: &Context) -> Result<Self, InitError> {
        let mut options = dsn::parse(properties.required("url")?)?.disable_statement_logging();
        if let Some(path) = properties.get("pemPath") {
            options = options.ssl_ca(context.resolve(path));
        }
        let mut pool = MySqlPoolOptions::new().acquire_timeout(CONNECT_TIMEOUT);
        pool = pool.max_connections(positive(properties.int("maxOpenConns")?).unwrap_or(DEFAULT_CONNECTIONS));
        if let Some(time) = properties.duration("connMaxLifetime")?.filter(|time| !time.is_zero()) {
            pool = pool.max_lifetime(time);
        }
        if let Some(time) = properties.duration("connMaxIdleTime")?.filter(|time| !time.is_zero()) {
            pool = pool.idle_timeout(time);
        }
        try_once(&options).await?;
        Ok(Self(pool.connect_lazy_with(options)))
    }

    pub(super) async fn exec(&self, sql: &str, params: Params) -> Result<u64, BindingError> {
        let given = params.0.len();
        let mut connection = self.connection().await?;
        let done = match prepare(sql, &params).execute(&mut *connection).await {
            Err(error) if number(&error) == Some(UNSUPPORTED_PREPARED) && params.0.is_empty() => {
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *connection).await
            }
            done => done,
        };
        done.map(|done| done.rows_affected()).map_err(|error| classify(error, given))
    }

    pub(super) async fn query(&self, sql: &str, params: Params) -> Result<Rows, BindingError> {
        let given = params.0.len();
        let mut connection = self.connection().await?;
        let mut collected = RowCollector::default();
        let mut rows = prepare(sql, &params).fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(|error| classify(error, given))? {
            let row = columns::read_row(&row).map_err(|error| classify(error, given))?;
            if let Err(too_large) = collected.push(row) {
                drop(rows);
                // The server keeps sending, and the next user of the connection would have to read all of it.
                connection.close_on_drop();
                return Err(failed(too_large));
            }
        }
        Ok(collected.into_rows())
    }

    /// Returns a pooled connection, or fails quickly if the server refuses connections.
    ///
    /// The pool itself would retry until its timeout.
    async fn connection(&self) -> Result<PoolConnection<MySql>, BindingError> {
        let refused = async {
            tokio::time::sleep(REACHABILITY_CHECK_DELAY).await;
            match self.0.connect_options().connect().await {
                Err(sqlx::Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => error,
                Ok(connection) => {
                    // Only a check; if closing fails, the server notices on its own.
                    let _ = connection.close().await;
                    std::future::pending().await
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            connection = self.0.acquire() => connection.map_err(|error| classify(error, 0)),
            error = refused => Err(BindingError::Unavailable(error.into())),
        }
    }
}

fn positive(number: Option<i64>) -> Option<u32> {
    number.filter(|number| *number > 0).and_then(|number| u32::try_from(number).ok())
}

/// Opens one connection outside of the pool, whose errors only report the timeout and not its cause.
async fn try_once(options: &MySqlConnectOptions) -> Result<(), InitError> {
    let connect = async {
        let mut connection = options.connect().await?;
        connection.ping().await?;
        connection.close().await
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, connect).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if number(&error).is_some_and(|number| DENIED.contains(&number)) => {
            Err(InitError::misconfigured(error))
        }
        Ok(Err(error @ (sqlx::Error::Configuration(_) | sqlx::Error::Tls(_)))) => Err(InitError::misconfigured(error)),
        Ok(Err(error)) => Err(InitError::unavailable(error)),
        Err(elapsed) => Err(InitError::unavailable(elapsed)),
    }
}

/// Always prepares the statement, so that parameters never become SQL and only one statement runs.
fn prepare(sql: &str, params: &Params) -> Query<'static, MySql, MySqlArguments> {
    // The SQL is the application's own, which is the purpose of this binding.
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    params.0.iter().cloned().fold(query, |query, param| match param {
        Param::Null => query.bind(None::<i64>),
        Param::Bool(value) => query.bind(value),
        Param::Int(value) => query.bind(value),
        Param::Unsigned(value) => query.bind(value),
        Param::Float(value) => query.bind(value),
        Param::Text(text) => query.bind(text),
    })
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let database = error.as_database_error()?;
    Some(database.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

/// Converts an error of a statement with `given` parameters. Uses the texts of Go's driver where it has its own.
fn classify(error: sqlx::Error, given: usize) -> BindingError {
    match error {
        sqlx::Error::Protocol(why) if why.contains("parameters were provided") => {
            let expected = why.split_whitespace().find_map(|word| word.parse::<usize>().ok()).unwrap_or_default();
            failed(format_args!("sql: expected {expected} arguments, got {given}"))
        }
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            BindingError::Unavailable(error.into())
        }
        sqlx::Error::Database(said) => match said.try_downcast::<MySqlDatabaseError>() {
            Ok(said) => {
                let state = said.code().map(|state| format!(" ({state})")).unwrap_or_default();
                failed(format_args!("Error {}{state}: {}", said.number(), said.message()))
            }
            Err(said) => failed(said),
        },
        other => failed(other),
    }
}
