//! Where events are kept.

mod binding;
mod dialect;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod mysql;
mod source;
mod sql;

use async_trait::async_trait;

use crate::event::{NewEvent, StoredEvent};
use crate::page::Page;

pub use source::{DatabaseSettings, DatabaseSource};

/// Keeps events. Each of them is durable once its call returns.
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// Makes the table, or brings an older one up to date. Drops nothing.
    async fn migrate(&self) -> Result<(), DatabaseError>;

    /// Records an event; one whose id is there already is recorded already.
    async fn record(&self, event: &NewEvent) -> Result<(), DatabaseError>;

    /// Reads a page, in the order of the ids.
    async fn list(&self, page: Page) -> Result<Vec<StoredEvent>, DatabaseError>;

    /// Deletes all events.
    async fn clear(&self) -> Result<(), DatabaseError>;

    /// Succeeds if the database answers.
    async fn ping(&self) -> Result<(), DatabaseError>;
}

/// Why the database is of no use. The words are safe to show: none of them holds the database's URL.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The secret store has no such secret.
    #[error("the secret store `{store}` has no secret `{key}` with the database's URL")]
    NoSecret {
        /// The secret store.
        store: String,
        /// The secret's name.
        key: String,
    },
    /// The secret cannot be had.
    #[error("the secret with the database's URL cannot be read: {0}")]
    Secret(#[source] dapr_client::Error),
    /// The URL names no database that is known here.
    #[error("the database's URL has to begin with mysql://, mysql+binding:// or sqlite:")]
    UnknownScheme,
    /// The way into the database is closed in this build.
    #[error("MySQL's own protocol is spoken only by the service built as WebAssembly")]
    NoProtocol,
    /// The binding refused or was not reached.
    #[error("the database binding failed: {0}")]
    Binding(#[source] dapr_client::Error),
    /// The server refused or was not reached.
    #[error("the database failed: {0}")]
    Server(String),
    /// The deadline passed first.
    #[error("the database did not answer in time")]
    Deadline,
    /// The database answered something else than was asked for.
    #[error("the database's answer cannot be understood")]
    Answer(#[source] serde_json::Error),
}
