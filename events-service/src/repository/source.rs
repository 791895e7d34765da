//! From a secret to a repository: fetched when first needed, and again after a failure.
//!
//! The service starts before its secret store and its database do, and outlives either. So nothing is fetched at the
//! start, and whatever fails is put together anew at the next call.

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

/// Where the database is named, and how it is reached.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// The secret store.
    pub secret_store: String,
    /// The secret that is the database's URL.
    pub secret_key: String,
    /// The SQL binding, where the URL leads to one.
    pub binding: String,
    /// How long the database may take over one statement.
    pub deadline: Duration,
}

/// The repository in whatever database the secret names.
pub struct DatabaseSource {
    dapr: Dapr,
    settings: DatabaseSettings,
    ready: Mutex<Option<Arc<dyn EventRepository>>>,
}

/// The two ways into a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Protocol,
    Binding(Dialect),
}

impl DatabaseSource {
    /// A source that asks Dapr for the secret.
    #[must_use]
    pub fn new(dapr: Dapr, settings: DatabaseSettings) -> Self {
        Self { dapr: dapr.with_deadline(settings.deadline), settings, ready: Mutex::default() }
    }

    /// The repository, with its table in place.
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

    /// Forgets the repository after a failure: the table may be gone, or the secret may name another database.
    async fn checked<T>(&self, done: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
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
        match way(&url)? {
            Way::Binding(dialect) => {
                let access = SqlBinding::new(self.dapr.clone(), binding.clone());
                Ok(Arc::new(SqlRepository { access, dialect }))
            }
            Way::Protocol => self.connect_to_server(&url),
        }
    }

    #[cfg(all(target_os = "wasi", target_env = "p1"))]
    fn connect_to_server(&self, url: &Secret) -> Result<Arc<dyn EventRepository>, DatabaseError> {
        let access = super::mysql::MySqlServer::new(url, self.settings.deadline)?;
        Ok(Arc::new(SqlRepository { access, dialect: Dialect::MySql }))
    }

    /// A component has no sockets of its own: it reaches the same database through the binding.
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
        self.checked(self.repository().await?.migrate().await).await
    }

    async fn record(&self, event: &NewEvent) -> Result<(), DatabaseError> {
        self.checked(self.repository().await?.record(event).await).await
    }

    async fn list(&self, page: Page) -> Result<Vec<StoredEvent>, DatabaseError> {
        self.checked(self.repository().await?.list(page).await).await
    }

    async fn clear(&self) -> Result<(), DatabaseError> {
        self.checked(self.repository().await?.clear().await).await
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.checked(self.repository().await?.ping().await).await
    }
}

/// Reads off the URL's scheme which way to go.
fn way(url: &Secret) -> Result<Way, DatabaseError> {
    let url = url.reveal();
    if url.starts_with("mysql://") {
        Ok(Way::Protocol)
    } else if url.starts_with("sqlite:") {
        Ok(Way::Binding(Dialect::Sqlite))
    } else if url.starts_with("mysql+binding:") || url.contains("@tcp(") || url.contains("@unix(") {
        // The latter is how Dapr's own bindings.mysql wants it, so that both may share one secret.
        Ok(Way::Binding(Dialect::MySql))
    } else {
        Err(DatabaseError::UnknownScheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_of(url: &str) -> Result<Way, String> {
        way(&Secret::new(url)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_scheme_chooses_the_way() {
        assert_eq!(way_of("mysql://u:p@h/d"), Ok(Way::Protocol));
        assert_eq!(way_of("sqlite:events.db"), Ok(Way::Binding(Dialect::Sqlite)));
        assert_eq!(way_of("mysql+binding://events"), Ok(Way::Binding(Dialect::MySql)));
        assert_eq!(way_of("root:pw@tcp(127.0.0.1:3306)/db"), Ok(Way::Binding(Dialect::MySql)));
    }

    #[test]
    fn an_unknown_url_is_not_quoted() {
        assert!(!way_of("postgres://root:hunter2@h/d").unwrap_err().contains("hunter2"));
    }
}
