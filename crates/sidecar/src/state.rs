//! State, with the application's key prefix: `dapr/pkg/api/http/http.go` and `pkg/api/universal/state.go`.

use std::sync::Arc;

use building_blocks::state::{BatchError, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateItem};
use building_blocks::{Metadata, StateError, StateStore};

use crate::availability::Availability;
use crate::components::ConfiguredStateStore;
use crate::encryption::Encryption;
use crate::{IllegalKey, KeyPrefix, Sidecar};

/// The most bytes of values that one bulk read answers with: sixteen of the largest that a request can write.
const MAX_BULK_BYTES: usize = 64 << 20;

/// The keys of a bulk read that the store is asked for at once: what it answers lies in memory before it is counted.
const KEYS_AT_ONCE: usize = 32;

/// The answer of a key beyond [`MAX_BULK_BYTES`].
fn too_much() -> StateError {
    let message =
        format!("the values of this bulk read take more than {} MiB; ask for fewer keys", MAX_BULK_BYTES >> 20);
    StateError::InvalidRequest(message)
}

/// Why a call to a state store was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum StateCallError {
    /// The application has no state store at all.
    #[error("state store {0} is not configured")]
    NotConfigured(String),
    /// It has, but none of this name.
    #[error("state store {0} is not found")]
    NotFound(String),
    /// A key contains the separator.
    #[error(transparent)]
    IllegalKey(#[from] IllegalKey),
    /// The store has no transactions.
    #[error("state store {0} doesn't support transactions")]
    TransactionsUnsupported(String),
    /// The transaction is longer than the store can do.
    #[error("the transaction contains {count} operations, which is more than what the state store supports: {max}")]
    TooManyOperations {
        /// Its length.
        count: usize,
        /// The store's limit.
        max: usize,
    },
    /// The store failed, or refused an etag.
    #[error("{0}")]
    Store(#[source] StateError),
    /// Some of the writes of a batch failed; the others are done.
    #[error("{}", joined(.0))]
    Batch(Vec<StateError>),
}

fn joined(errors: &[StateError]) -> String {
    errors.iter().map(StateError::to_string).collect::<Vec<_>>().join("\n")
}

/// A state store under the key prefix of one application.
pub struct AppStateStore {
    name: String,
    app_id: String,
    store: Arc<dyn StateStore>,
    prefix: KeyPrefix,
    encryption: Option<Arc<Encryption>>,
    availability: Arc<Availability>,
}

impl Sidecar {
    /// The state store `name`.
    ///
    /// # Errors
    /// When there is none, or none of this name.
    pub fn state_store(&self, name: &str) -> Result<AppStateStore, StateCallError> {
        let components = self.components();
        if components.state_stores.is_empty() {
            return Err(StateCallError::NotConfigured(name.to_owned()));
        }
        let found = components.state_stores.get(name).ok_or_else(|| StateCallError::NotFound(name.to_owned()))?;
        let ConfiguredStateStore { store, prefix, encryption } = found.clone();
        let (app_id, availability) = (self.app_id.clone(), self.availability.clone());
        Ok(AppStateStore { name: name.to_owned(), app_id, store, prefix, encryption, availability })
    }
}

impl Sidecar {
    /// The name of the application's state store, where it has exactly one.
    #[must_use]
    pub fn only_state_store(&self) -> Option<String> {
        let components = self.components();
        let mut names = components.state_stores.keys();
        match (names.next(), names.next()) {
            (Some(name), None) => Some(name.clone()),
            _ => None,
        }
    }
}

impl AppStateStore {
    /// What the store can do.
    #[must_use]
    pub fn supports(&self, feature: StateFeature) -> bool {
        self.store.features().contains(feature)
    }

    /// Reads one key.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn get(&self, mut request: GetRequest) -> Result<Option<StateItem>, StateCallError> {
        request.key = self.key(&request.key)?;
        let read = self.noted("get", self.store.get(request).await);
        self.decrypted(read).map_err(StateCallError::Store)
    }

    /// Reads many keys; each has its own answer. Once the values take more than 64 MiB, the answer of each further
    /// key is an error.
    ///
    /// # Errors
    /// When a key is illegal.
    pub async fn bulk_get(
        &self,
        mut requests: Vec<GetRequest>,
        parallelism: usize,
    ) -> Result<Vec<Result<Option<StateItem>, StateError>>, StateCallError> {
        for request in &mut requests {
            request.key = self.key(&request.key)?;
        }
        let (mut items, mut bytes) = (Vec::with_capacity(requests.len()), 0);
        let mut requests = requests.into_iter();
        while bytes <= MAX_BULK_BYTES && requests.len() > 0 {
            let some = requests.by_ref().take(KEYS_AT_ONCE).collect();
            for item in self.store.bulk_get(some, parallelism).await {
                let item = self.decrypted(self.noted("get", item));
                bytes += item.as_ref().map_or(0, |item| item.as_ref().map_or(0, |found| found.value.len()));
                items.push(if bytes > MAX_BULK_BYTES { Err(too_much()) } else { item });
            }
        }
        items.extend(requests.map(|_| Err(too_much())));
        Ok(items)
    }

    /// Writes keys. One alone goes through the store's `set`; several are a batch, which is not atomic.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn save(&self, mut requests: Vec<SetRequest>) -> Result<(), StateCallError> {
        for request in &mut requests {
            request.key = self.key(&request.key)?;
            self.encrypt(request)?;
        }
        if requests.len() > 1 {
            let written = self.store.set_all(requests).await;
            let errors = match &written {
                Ok(()) => &[],
                Err(BatchError::Each(errors)) => errors.as_slice(),
                Err(BatchError::Whole(error)) => std::slice::from_ref(error),
            };
            self.note("set", errors.iter().find(|error| matches!(error, StateError::Unavailable(_))));
            return written.map_err(|error| match error {
                BatchError::Each(errors) => StateCallError::Batch(errors),
                BatchError::Whole(error) => StateCallError::Store(error),
            });
        }
        match requests.pop() {
            Some(request) => self.noted("set", self.store.set(request).await).map_err(StateCallError::Store),
            None => Ok(()),
        }
    }

    /// Deletes one key.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn delete(&self, mut request: DeleteRequest) -> Result<(), StateCallError> {
        request.key = self.key(&request.key)?;
        self.noted("delete", self.store.delete(request).await).map_err(StateCallError::Store)
    }

    /// Applies all operations or none.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn transact(&self, mut operations: Vec<Operation>, metadata: Metadata) -> Result<(), StateCallError> {
        self.can_transact()?;
        for operation in &mut operations {
            match operation {
                Operation::Upsert(request) => {
                    request.key = self.key(&request.key)?;
                    self.encrypt(request)?;
                }
                Operation::Delete(request) => request.key = self.key(&request.key)?,
            }
        }
        if let Some(max) = self.store.multi_max_size().await
            && operations.len() > max
        {
            return Err(StateCallError::TooManyOperations { count: operations.len(), max });
        }
        let done = self.store.transact(operations, metadata).await;
        self.noted("transaction", done).map_err(StateCallError::Store)
    }

    /// Whether the store has transactions; Dapr says so before it reads the request.
    ///
    /// # Errors
    /// When it has not.
    pub fn can_transact(&self) -> Result<(), StateCallError> {
        if self.supports(StateFeature::Transactional) {
            Ok(())
        } else {
            Err(StateCallError::TransactionsUnsupported(self.name.clone()))
        }
    }

    /// Notes whether the store could be reached.
    fn noted<T>(&self, operation: &str, ended: Result<T, StateError>) -> Result<T, StateError> {
        self.note(operation, ended.as_ref().err().filter(|error| matches!(error, StateError::Unavailable(_))));
        ended
    }

    fn note(&self, operation: &str, lost: Option<&StateError>) {
        self.availability.note(&self.app_id, &self.name, operation, lost.map(|error| error as _));
    }

    fn encrypt(&self, request: &mut SetRequest) -> Result<(), StateCallError> {
        if let Some(encryption) = &self.encryption {
            let value = encryption.encrypt(&request.value);
            request.value = value.map_err(|error| StateCallError::Store(StateError::Other(error.into())))?;
        }
        Ok(())
    }

    fn decrypted(&self, read: Result<Option<StateItem>, StateError>) -> Result<Option<StateItem>, StateError> {
        let Some(encryption) = &self.encryption else { return read };
        let Some(mut item) = read? else { return Ok(None) };
        item.value = encryption.decrypt(&item.value).map_err(|error| {
            let message = format!("could not decrypt data for state store {}: {error}", self.name);
            StateError::Other(message.into())
        })?;
        Ok(Some(item))
    }

    fn key(&self, key: &str) -> Result<String, IllegalKey> {
        self.prefix.apply(key, &self.name, &self.app_id)
    }
}
