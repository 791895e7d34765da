//! SQL through MySQL's own protocol, over pooled connections.

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dapr_client::Secret;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, Row};
use serde_json::{Map, Value};
use tokio::time::timeout;
use wasmedge_wasi_socket::nslookup;

use super::DatabaseError;
use super::sql::SqlAccess;

/// Minimum and maximum of open connections: each is a socket of the guest.
const CONNECTIONS: (usize, usize) = (1, 8);

/// Idle timeout of a connection: far less than MySQL's own eight hours.
const IDLE: Duration = Duration::from_secs(300);

/// A MySQL, MariaDB or TiDB server.
pub(super) struct MySqlServer {
    opts: Opts,
    /// Connection pool; `None` before the first connection, and after a failed one.
    pool: Mutex<Option<Pool>>,
    deadline: Duration,
}

impl MySqlServer {
    /// Parses the URL without connecting.
    pub(super) fn new(url: &Secret, deadline: Duration) -> Result<Self, DatabaseError> {
        // The error would quote the URL.
        let opts =
            Opts::from_url(url.reveal()).map_err(|_| DatabaseError::Server("its URL is malformed".to_owned()))?;
        Ok(Self { opts, pool: Mutex::default(), deadline })
    }

    async fn connection(&self) -> mysql_async::Result<Conn> {
        let pool = self.pool()?;
        let connection = pool.get_conn().await;
        if let Err(mysql_async::Error::Io(_)) = connection {
            // The name may resolve to another address by now.
            *self.current() = None;
        }
        connection
    }

    /// Returns the pool.
    ///
    /// The service resolves the name itself, with a numeric port: the client would look up the port by service name,
    /// which needs an `/etc/services`.
    fn pool(&self) -> io::Result<Pool> {
        let mut current = self.current();
        if let Some(pool) = &*current {
            return Ok(pool.clone());
        }
        let ip = address(self.opts.ip_or_hostname(), self.opts.tcp_port())?;
        let constraints = PoolConstraints::new(CONNECTIONS.0, CONNECTIONS.1).unwrap_or_default();
        let pool = PoolOpts::new().with_constraints(constraints).with_inactive_connection_ttl(IDLE);
        let opts = OptsBuilder::from_opts(self.opts.clone()).ip_or_hostname(ip.to_string()).pool_opts(pool);
        let pool = Pool::new(opts);
        *current = Some(pool.clone());
        Ok(pool)
    }

    fn current(&self) -> MutexGuard<'_, Option<Pool>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn within<T>(&self, work: impl Future<Output = mysql_async::Result<T>>) -> Result<T, DatabaseError> {
        let done = timeout(self.deadline, work).await.map_err(|_| DatabaseError::Deadline)?;
        done.map_err(|error| DatabaseError::Server(error.to_string()))
    }
}

fn address(host: &str, port: u16) -> io::Result<IpAddr> {
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(ip);
    }
    let unknown = || io::Error::new(io::ErrorKind::NotFound, format!("the name {host} has no address"));
    nslookup(host, &port.to_string())?.first().map(std::net::SocketAddr::ip).ok_or_else(unknown)
}

#[async_trait]
impl SqlAccess for MySqlServer {
    async fn exec(&self, sql: &str, params: &[Value]) -> Result<(), DatabaseError> {
        let params = positional(params);
        self.within(async {
            let mut connection = self.connection().await?;
            connection.exec_drop(sql, params).await
        })
        .await
    }

    async fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Value>, DatabaseError> {
        let params = positional(params);
        let rows: Vec<Row> = self
            .within(async {
                let mut connection = self.connection().await?;
                connection.exec(sql, params).await
            })
            .await?;
        Ok(rows.into_iter().map(object).collect())
    }
}

fn positional(params: &[Value]) -> Params {
    if params.is_empty() {
        return Params::Empty;
    }
    Params::Positional(params.iter().map(to_mysql).collect())
}

fn to_mysql(value: &Value) -> mysql_async::Value {
    match value {
        Value::Null => mysql_async::Value::NULL,
        Value::String(text) => text.as_str().into(),
        value => value.as_i64().map_or_else(|| value.to_string().into(), Into::into),
    }
}

fn object(row: Row) -> Value {
    let columns = row.columns();
    let fields = columns.iter().zip(row.unwrap_raw()).map(|(column, value)| {
        let name = column.name_str().into_owned();
        (name, value.map_or(Value::Null, from_mysql))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn from_mysql(value: mysql_async::Value) -> Value {
    match value {
        mysql_async::Value::Int(number) => number.into(),
        mysql_async::Value::UInt(number) => number.into(),
        mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        mysql_async::Value::Float(number) => number.into(),
        mysql_async::Value::Double(number) => number.into(),
        // No column of the table holds a time.
        mysql_async::Value::NULL | mysql_async::Value::Date(..) | mysql_async::Value::Time(..) => Value::Null,
    }
}
