//! State with the application's key prefix: `dapr/pkg/api/http/http.go` and `pkg/api/universal/state.go`.

mod encryption;
mod errors;
mod key_prefix;
mod outbox;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use dapr_building_blocks::state::{
    BatchError, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateItem,
};
use dapr_building_blocks::{Component, ComponentSpec, Metadata, StateError, StateStore};

use self::encryption::Encryption;
pub use self::encryption::EncryptionKeyError;
pub use self::key_prefix::{IllegalKey, KeyPrefix};
pub(crate) use self::outbox::Outbox;
use crate::calls::{CallTarget, Outcome};
use crate::components::{AddError, Block};
use crate::resiliency::{ComponentKind, Interruption, Verdict};
use crate::{PublishError, Sidecar};

/// Maximum bytes of values in one bulk read. Sixteen of the largest values that a request can write.
const MAX_BULK_BYTES: usize = 64 << 20;

/// Keys read from the store at once. Their values are in memory before they are counted.
const BULK_READ_CHUNK: usize = 32;

/// Creates the error of a key beyond [`MAX_BULK_BYTES`].
fn bulk_read_too_large() -> StateError {
    let message =
        format!("the values of this bulk read take more than {} MiB; ask for fewer keys", MAX_BULK_BYTES >> 20);
    StateError::InvalidRequest(message)
}

/// An error of a call to a state store.
#[derive(Debug, thiserror::Error)]
pub enum StateCallError {
    /// The application has no state store at all.
    #[error("state store {0} is not configured")]
    NotConfigured(String),
    /// The application has no state store of this name.
    #[error("state store {0} is not found")]
    NotFound(String),
    /// A key contains the separator.
    #[error(transparent)]
    IllegalKey(#[from] IllegalKey),
    /// The store has no transactions.
    #[error("state store {0} doesn't support transactions")]
    TransactionsUnsupported(String),
    /// The transaction has more operations than the store supports.
    #[error("the transaction contains {count} operations, which is more than what the state store supports: {max}")]
    TooManyOperations {
        /// Number of operations.
        count: usize,
        /// Limit of the store.
        max: usize,
    },
    /// The messages of a transaction cannot be published, so that it does not take place.
    #[error("error while publishing outbox message: {0}")]
    Outbox(#[source] PublishError),
    /// The store failed, or rejected an etag.
    #[error("{0}")]
    Store(#[source] StateError),
    /// Some writes of a batch failed; the others are done.
    #[error("{}", joined(.0))]
    Batch(Vec<StateError>),
}

fn joined(errors: &[StateError]) -> String {
    errors.iter().map(StateError::to_string).collect::<Vec<_>>().join("\n")
}

/// Results of a bulk read.
struct BulkRead(Result<Vec<Result<Option<StateItem>, StateError>>, StateError>);

/// Single keys that fail are no failure of the call.
impl Outcome for BulkRead {
    fn unavailable(&self) -> Option<&dyn Display> {
        self.0.as_ref().ok()?.iter().find_map(Outcome::unavailable)
    }

    fn verdict(&self) -> Verdict {
        self.0.verdict()
    }

    fn interrupted(why: Interruption) -> Self {
        Self(Outcome::interrupted(why))
    }
}

/// The state stores of one application, by name.
#[derive(Clone, Default)]
pub(crate) struct StateStores(BTreeMap<String, ConfiguredStateStore>);

/// A state store, with its key prefix and encryption.
#[derive(Clone)]
struct ConfiguredStateStore {
    store: Arc<dyn StateStore>,
    prefix: KeyPrefix,
    encryption: Option<Arc<Encryption>>,
    outbox: Option<Arc<Outbox>>,
}

impl StateStores {
    /// Returns the names of the stores with an outbox, with the store and the outbox.
    pub(crate) fn outboxes(&self) -> impl Iterator<Item = (&str, &Arc<dyn StateStore>, &Arc<Outbox>)> {
        self.0.iter().filter_map(|(name, it)| Some((name.as_str(), &it.store, it.outbox.as_ref()?)))
    }
}

impl Block for StateStores {
    fn add(&mut self, spec: &ComponentSpec, component: &Component, namespace: &str) -> Result<Vec<String>, AddError> {
        let Some(store) = &component.state_store else { return Ok(Vec::new()) };
        let outbox = Outbox::from_properties(&spec.properties).map_err(AddError::Outbox)?.map(Arc::new);
        let prefix = KeyPrefix::from_property(spec.properties.get_raw("keyPrefix"), namespace)?;
        let encryption = Encryption::from_spec(spec)?.map(Arc::new);
        self.0.insert(spec.name.clone(), ConfiguredStateStore { store: store.clone(), prefix, encryption, outbox });
        let features = store.features();
        let mut capabilities: Vec<String> = features.iter().map(|feature| feature.as_str().to_owned()).collect();
        if features.contains(StateFeature::Etag) && features.contains(StateFeature::Transactional) {
            capabilities.push("ACTOR".to_owned());
        }
        Ok(capabilities)
    }
}

/// A state store with the key prefix of one application.
pub struct AppStateStore<'a> {
    name: String,
    sidecar: &'a Sidecar,
    configured: ConfiguredStateStore,
}

impl Sidecar {
    /// Looks up the state store `name`.
    ///
    /// # Errors
    /// When there is no state store, or none of this name.
    pub fn state_store(&self, name: &str) -> Result<AppStateStore<'_>, StateCallError> {
        let components = self.components();
        let StateStores(stores) = &components.state;
        if stores.is_empty() {
            return Err(StateCallError::NotConfigured(name.to_owned()));
        }
        let configured = stores.get(name).ok_or_else(|| StateCallError::NotFound(name.to_owned()))?.clone();
        Ok(AppStateStore { name: name.to_owned(), sidecar: self, configured })
    }

    /// Returns the name of the application's state store, if it has exactly one.
    #[must_use]
    pub fn only_state_store(&self) -> Option<String> {
        let components = self.components();
        let mut names = components.state.0.keys();
        match (names.next(), names.next()) {
            (Some(name), None) => Some(name.clone()),
            _ => None,
        }
    }
}

impl AppStateStore<'_> {
    /// Returns whether the store has a feature.
    #[must_use]
    pub fn supports(&self, feature: StateFeature) -> bool {
        self.configured.store.features().contains(feature)
    }

    /// Reads one key.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn get(&self, mut request: GetRequest) -> Result<Option<StateItem>, StateCallError> {
        request.key = self.key(&request.key)?;
        let read = self.run("get", request, |request| self.configured.store.get(request)).await;
        self.decrypt(read).map_err(StateCallError::Store)
    }

    /// Reads many keys, each with its own result.
    ///
    /// Once the values exceed 64 MiB, each further key is an error.
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
            let some: Vec<_> = requests.by_ref().take(BULK_READ_CHUNK).collect();
            let read = |some| async { BulkRead(Ok(self.configured.store.bulk_get(some, parallelism).await)) };
            let BulkRead(read) = self.run("get", some, read).await;
            for item in read.map_err(StateCallError::Store)? {
                let item = self.decrypt(item);
                bytes += item.as_ref().map_or(0, |item| item.as_ref().map_or(0, |found| found.value.len()));
                items.push(if bytes > MAX_BULK_BYTES { Err(bulk_read_too_large()) } else { item });
            }
        }
        items.extend(requests.map(|_| Err(bulk_read_too_large())));
        Ok(items)
    }

    /// Writes keys. A single one goes through the store's `set`; several are a batch, which is not atomic.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn save(&self, mut requests: Vec<SetRequest>) -> Result<(), StateCallError> {
        for request in &mut requests {
            request.key = self.key(&request.key)?;
            self.encrypt(request)?;
        }
        if requests.len() > 1 {
            return self.save_all(requests).await.map_err(|error| match error {
                BatchError::Each(errors) => StateCallError::Batch(errors.into_iter().map(|(_, error)| error).collect()),
                BatchError::Whole(error) => StateCallError::Store(error),
            });
        }
        match requests.pop() {
            Some(request) => {
                let set = |request| self.configured.store.set(request);
                self.run("set", request, set).await.map_err(StateCallError::Store)
            }
            None => Ok(()),
        }
    }

    /// Deletes one key.
    ///
    /// # Errors
    /// See [`StateCallError`].
    pub async fn delete(&self, mut request: DeleteRequest) -> Result<(), StateCallError> {
        request.key = self.key(&request.key)?;
        let delete = |request| self.configured.store.delete(request);
        self.run("delete", request, delete).await.map_err(StateCallError::Store)
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
        if let Some(max) = self.configured.store.multi_max_size().await
            && operations.len() > max
        {
            return Err(StateCallError::TooManyOperations { count: operations.len(), max });
        }
        if let Some(outbox) = &self.configured.outbox {
            operations = self.sidecar.fill_outbox(outbox, operations).await.map_err(StateCallError::Outbox)?;
        }
        let transact = |(operations, metadata)| self.configured.store.transact(operations, metadata);
        self.run("transaction", (operations, metadata), transact).await.map_err(StateCallError::Store)
    }

    /// Checks that the store has transactions; Dapr does so before it reads the request.
    ///
    /// # Errors
    /// When the store has no transactions.
    pub fn can_transact(&self) -> Result<(), StateCallError> {
        if self.supports(StateFeature::Transactional) {
            Ok(())
        } else {
            Err(StateCallError::TransactionsUnsupported(self.name.clone()))
        }
    }

    /// Writes several keys. Those that failed, other than by their etags, are repeated as the policy says.
    async fn save_all(&self, requests: Vec<SetRequest>) -> Result<(), BatchError> {
        let target = CallTarget::Component(ComponentKind::Statestore, &self.name);
        let call = |requests| self.configured.store.set_all(requests);
        // Etags that do not match stay errors, whatever becomes of the others.
        let mut rejected = Vec::new();
        let narrow = |requests: &mut Vec<SetRequest>, outcome: &mut Result<(), BatchError>| {
            let Err(BatchError::Each(errors)) = outcome else { return };
            if errors.iter().all(|(_, error)| error.is_etag()) {
                return;
            }
            rejected.extend(errors.extract_if(.., |(_, error)| error.is_etag()));
            let mut index = 0..;
            requests.retain(|_| index.next().is_some_and(|index| errors.iter().any(|(failed, _)| *failed == index)));
        };
        let outcome = self.sidecar.calls.run_narrowing(target, "set", requests, call, narrow).await;
        match outcome {
            _ if rejected.is_empty() => outcome,
            Ok(()) => Err(BatchError::Each(rejected)),
            Err(BatchError::Each(errors)) => Err(BatchError::Each(rejected.into_iter().chain(errors).collect())),
            Err(whole) => Err(whole),
        }
    }

    async fn run<I: Clone, O: Outcome, F: Future<Output = O>>(
        &self,
        operation: &str,
        input: I,
        call: impl FnMut(I) -> F,
    ) -> O {
        let target = CallTarget::Component(ComponentKind::Statestore, &self.name);
        self.sidecar.calls.run(target, operation, input, call).await
    }

    fn encrypt(&self, request: &mut SetRequest) -> Result<(), StateCallError> {
        if let Some(encryption) = &self.configured.encryption {
            let value = encryption.encrypt(&request.value);
            request.value = value.map_err(|error| StateCallError::Store(StateError::Other(error.into())))?;
        }
        Ok(())
    }

    fn decrypt(&self, read: Result<Option<StateItem>, StateError>) -> Result<Option<StateItem>, StateError> {
        let Some(encryption) = &self.configured.encryption else { return read };
        let Some(mut item) = read? else { return Ok(None) };
        item.value = encryption.decrypt(&item.value).map_err(|error| {
            let message = format!("could not decrypt data for state store {}: {error}", self.name);
            StateError::Other(message.into())
        })?;
        Ok(Some(item))
    }

    fn key(&self, key: &str) -> Result<String, IllegalKey> {
        self.configured.prefix.apply(key, &self.name, self.sidecar.app_id())
    }
}
