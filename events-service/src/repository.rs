//! Storage of events.

mod binding;
mod dialect;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod mysql;
mod source;
mod sql;

use async_trait::async_trait;
use http::StatusCode;
use service_kit::Problem;

use crate::event::{NewEvent, StoredEvent};
use crate::page::Page;

pub use source::{DatabaseSettings, DatabaseSource};

/// Stores events. Each is durable once its call returns.
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// Creates the table, or upgrades an older one. Drops nothing.
    async fn migrate(&self) -> Result<(), DatabaseError>;

    /// Records an event; does nothing if its id is already recorded.
    async fn record(&self, event: &NewEvent) -> Result<(), DatabaseError>;

    /// Reads a page, in the order of the ids.
    async fn list(&self, page: Page) -> Result<Vec<StoredEvent>, DatabaseError>;

    /// Deletes all events.
    async fn clear(&self) -> Result<(), DatabaseError>;

    /// Succeeds if the database responds.
    async fn ping(&self) -> Result<(), DatabaseError>;
}

/// Error of the database. The messages may be shown: none contains the database's URL.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The secret does not exist.
    #[error("the secret store `{store}` has no secret `{key}` with the database's URL")]
    NoSecret {
        /// Name of the secret store.
        store: String,
        /// Name of the secret.
        key: String,
    },
    /// The secret cannot be read.
    #[error("the secret with the database's URL cannot be read: {0}")]
    Secret(#[source] dapr_client::Error),
    /// The URL's scheme is not supported.
    #[error("the database's URL has to begin with mysql://, mysql+binding:// or sqlite:")]
    UnknownScheme,
    /// MySQL's own protocol is not part of this build.
    #[error("MySQL's own protocol is spoken only by the service built as WebAssembly")]
    NoProtocol,
    /// The binding was not reached or responded with an error.
    #[error("the database binding failed: {0}")]
    Binding(#[source] dapr_client::Error),
    /// The server was not reached or responded with an error.
    #[error("the database failed: {0}")]
    Server(String),
    /// The timeout expired.
    #[error("the database did not answer in time")]
    Deadline,
    /// The database's response has an unexpected format.
    #[error("the database's answer cannot be understood")]
    Response(#[source] serde_json::Error),
}

/// 503: the sender keeps the event and tries again.
impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}
