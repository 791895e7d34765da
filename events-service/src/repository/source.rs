//! Creates the repository from a secret: on first use, and again after a failure.
//!
//! The service may start before its secret store and its database, and outlive either. So nothing is read at startup,
//! and after a failure the next call starts over.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_client::{Dapr, Secret};
use tokio::sync::Mutex;

use super::binding::SqlBinding;
use super::dialect::Dialect;
use super::sql::SqlRepository;
use super::{DatabaseError, EventRepository};
use crate::event::{NewEvent, StoredEvent};
use crate::page::Page;

/// Location of the database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Name of the secret store.
    pub secret_store: String,
    /// Name of the secret with the database's URL.
    pub secret_key: String,
    /// Name of the SQL binding, if the URL refers to one.
    pub binding: String,
    /// Timeout of a statement.
    pub deadline: Duration,
}

/// A repository in the database that the secret names.
pub struct DatabaseSource {
    dapr: Dapr,
    settings: DatabaseSettings,
    ready: Mutex<Option<Arc<dyn EventRepository>>>,
}

/// Connection to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Protocol,
    Binding(Dialect),
}

impl DatabaseSource {
    /// Creates a source that reads the secret from Dapr.
    #[must_use]
    pub fn new(dapr: Dapr, settings: DatabaseSettings) -> Self {
        Self { dapr: dapr.with_deadline(settings.deadline), settings, ready: Mutex::default() }
    }

    /// Returns the repository, with its table created.
    async fn repository(&self) -> Result<Arc<dyn EventRepository>, DatabaseError> {
        let mut ready = self.ready.lock().await;
        if let Some(repository) = ready.as_ref() {
            return Ok(Arc::clone(repository));
        }
        let repository = self.connect().await?;
        repository.migrate().await?;
        *ready = Some(Arc::clone(&repository));
        Ok(repository)
    }

    /// Drops the repository after a failure: the table may be gone, or the secret may name another database.
    async fn reset_on_error<T>(&self, done: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if done.is_err() {
            *self.ready.lock().await = None;
        }
        done
    }

    async fn connect(&self) -> Result<Arc<dyn EventRepository>, DatabaseError> {
        let DatabaseSettings { secret_store, secret_key, binding, .. } = &self.settings;
        let url = self.dapr.secrets(secret_store).get(secret_key).await.map_err(DatabaseError::Secret)?;
        let url = url.filter(|url| !url.reveal().is_empty());
        let url =
            url.ok_or_else(|| DatabaseError::NoSecret { store: secret_store.clone(), key: secret_key.clone() })?;
        match connection(&url)? {
            Connection::Binding(dialect) => {
                let access = SqlBinding::new(self.dapr.clone(), binding.clone());
                Ok(Arc::new(SqlRepository { access, dialect }))
            }
            Connection::Protocol => self.connect_to_server(&url),
        }
    }

    #[cfg(all(target_os = "wasi", target_env = "p1"))]
    fn connect_to_server(&self, url: &Secret) -> Result<Arc<dyn EventRepository>, DatabaseError> {
        let access = super::mysql::MySqlServer::new(url, self.settings.deadline)?;
        Ok(Arc::new(SqlRepository { access, dialect: Dialect::MySql }))
    }

    /// A component has no sockets: it reaches the same database through the binding.
    #[cfg(all(target_os = "wasi", target_env = "p2"))]
    fn connect_to_server(&self, _url: &Secret) -> Result<Arc<dyn EventRepository>, DatabaseError> {
        let access = SqlBinding::new(self.dapr.clone(), self.settings.binding.clone());
        Ok(Arc::new(SqlRepository { access, dialect: Dialect::MySql }))
    }

    #[cfg(not(target_os = "wasi"))]
    fn connect_to_server(&self, _url: &Secret) -> Result<Arc<dyn EventRepository>, DatabaseError> {
        Err(DatabaseError::NoProtocol)
    }
}

#[async_trait]
impl EventRepository for DatabaseSource {
    async fn migrate(&self) -> Result<(), DatabaseError> {
        self.reset_on_error(self.repository().await?.migrate().await).await
    }

    async fn record(&self, event: &NewEvent) -> Result<(), DatabaseError> {
        self.reset_on_error(self.repository().await?.record(event).await).await
    }

    async fn list(&self, page: Page) -> Result<Vec<StoredEvent>, DatabaseError> {
        self.reset_on_error(self.repository().await?.list(page).await).await
    }

    async fn clear(&self) -> Result<(), DatabaseError> {
        self.reset_on_error(self.repository().await?.clear().await).await
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.reset_on_error(self.repository().await?.ping().await).await
    }
}

/// Chooses the connection by the URL's scheme.
fn connection(url: &Secret) -> Result<Connection, DatabaseError> {
    let url = url.reveal();
    if url.starts_with("mysql://") {
        Ok(Connection::Protocol)
    } else if url.starts_with("sqlite:") {
        Ok(Connection::Binding(Dialect::Sqlite))
    } else if url.starts_with("mysql+binding:") || url.contains("@tcp(") || url.contains("@unix(") {
        // The latter is the format of Dapr's own bindings.mysql, so that both may share one secret.
        Ok(Connection::Binding(Dialect::MySql))
    } else {
        Err(DatabaseError::UnknownScheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection_of(url: &str) -> Result<Connection, String> {
        connection(&Secret::new(url)).map_err(|error| error.to_string())
    }

    #[test]
    fn scheme_chooses_the_connection() {
        assert_eq!(connection_of("mysql://u:p@h/d"), Ok(Connection::Protocol));
        assert_eq!(connection_of("sqlite:events.db"), Ok(Connection::Binding(Dialect::Sqlite)));
        assert_eq!(connection_of("mysql+binding://events"), Ok(Connection::Binding(Dialect::MySql)));
        assert_eq!(connection_of("root:pw@tcp(127.0.0.1:3306)/db"), Ok(Connection::Binding(Dialect::MySql)));
    }

    #[test]
    fn unknown_url_is_not_quoted() {
        assert!(!connection_of("postgres://root:hunter2@h/d").unwrap_err().contains("hunter2"));
    }
}
