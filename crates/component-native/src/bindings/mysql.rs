//! `bindings.mysql`: SQL on a MySQL, MariaDB or TiDB server. `components-contrib/bindings/mysql/mysql.go`.
//!
//! Extension: a `url` of the form `sqlite:PATH` selects a SQLite file instead, for use without a server.

mod dsn;
mod file;
mod params;
mod rows;
mod server;

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, OutputBinding, go_duration};
use jiff::Timestamp;

use file::File;
use params::Params;
use rows::Rows;
use server::Server;

const OPERATIONS: [&str; 3] = ["exec", "query", "close"];

/// Connects once, so that a wrong password or a missing server is reported now.
pub(crate) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let url = spec.properties.required("url")?;
    let database = match url.strip_prefix("sqlite:") {
        Some(path) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(PropertyError::invalid("url", "followed by a path after sqlite:").into());
            }
            Database::File(File::open(context.resolve(path)).await?)
        }
        None => Database::Server(Server::connect(&spec.properties, &context).await?),
    };
    Ok(Component::from_output_binding(Mysql { database, closed: AtomicBool::new(false) }))
}

struct Mysql {
    database: Database,
    closed: AtomicBool,
}

enum Database {
    Server(Server),
    File(File),
}

impl Database {
    /// Executes `sql`, and returns the number of affected rows.
    async fn exec(&self, sql: &str, params: Params) -> Result<u64, BindingError> {
        match self {
            Self::Server(server) => server.exec(sql, params).await,
            Self::File(file) => file.exec(sql, params).await,
        }
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Rows, BindingError> {
        match self {
            Self::Server(server) => server.query(sql, params).await,
            Self::File(file) => file.query(sql, params).await,
        }
    }
}

#[async_trait]
impl OutputBinding for Mysql {
    fn operations(&self) -> Vec<&str> {
        OPERATIONS.to_vec()
    }

    async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, BindingError> {
        let invalid = |text: &str| Err(BindingError::InvalidRequest(text.to_owned()));
        if request.operation == "close" {
            // Closing a closed component succeeds, as in Dapr.
            self.closed.store(true, Ordering::Release);
            return Ok(InvokeResponse::default());
        }
        if self.closed.load(Ordering::Acquire) {
            return invalid("component is closed");
        }
        let Some(sql) = request.metadata.get("sql").filter(|sql| !sql.is_empty()) else {
            return invalid("required metadata not set: sql");
        };
        let params = Params::parse(request.metadata.get("params"))?;

        let start = Timestamp::now();
        let mut metadata = Metadata::from([
            ("operation".to_owned(), request.operation.clone()),
            ("sql".to_owned(), sql.clone()),
            ("start-time".to_owned(), start.to_string()),
        ]);
        let data = match request.operation.as_str() {
            "exec" => {
                let affected = self.database.exec(sql, params).await?;
                metadata.insert("rows-affected".to_owned(), affected.to_string());
                None
            }
            "query" => Some(rows::to_json(&self.database.query(sql, params).await?)?),
            other => {
                return invalid(&format!("invalid operation type: {other}. Expected exec, query, or close"));
            }
        };
        let end = Timestamp::now();
        let nanos = i64::try_from(end.duration_since(start).as_nanos()).unwrap_or(i64::MAX);
        metadata.insert("end-time".to_owned(), end.to_string());
        metadata.insert("duration".to_owned(), go_duration::format(nanos));
        Ok(InvokeResponse { data, metadata })
    }
}

/// Wraps an error of the database about a statement.
fn failed(error: impl Display) -> BindingError {
    BindingError::Other(format!("error executing query: {error}").into())
}
