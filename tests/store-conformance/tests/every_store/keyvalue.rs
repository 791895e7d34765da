//! `wasi:keyvalue` as a state store for the suite.
//!
//! daprlet provides it from an application's state, or a component does.
//!
//! All calls go through a component that exports `wasi:keyvalue`. For daprlet's implementation, that is
//! `fixtures/keyvalue-relay`, which imports the interface that it exports: so the suite tests the functions that an
//! application calls.

mod atomics;
mod provider;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use dapr_building_blocks::state::{Concurrency, DeleteRequest, GetRequest, SetRequest, StateFeatures, StateItem};
use dapr_building_blocks::{StateError, StateStore};
use store_conformance::Behaviours;
use tokio::sync::Mutex;
use wasmtime::component::ResourceAny;

use provider::{CasError, Error, Instance, Provider, sidecar};

/// Number of concurrent instances; enough for writers to conflict.
const INSTANCES: usize = 4;

/// Returns the behaviours of `wasi:keyvalue`, whose etags are those of compare-and-swap.
pub(crate) fn behaviours() -> Behaviours {
    Behaviours { has_compare_and_swap: true, ..Behaviours::default() }
}

/// Same on Redis, where a write with an etag succeeds if the key is absent.
pub(crate) fn behaviours_on_redis() -> Behaviours {
    Behaviours { etag_requires_key: false, ..behaviours() }
}

/// Returns daprlet's `wasi:keyvalue` on `store`, with several concurrent instances.
pub(crate) async fn on(store: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    Arc::new(KeyValue::new(clients_of(store).await))
}

/// Returns `wasi:keyvalue` of the first component, composed with the others.
pub(crate) async fn from_components(names: &[&str], environment: &[(&str, &str)]) -> Arc<dyn StateStore> {
    Arc::new(KeyValue::new(vec![Provider::get(names).instance(&sidecar(None), environment).await]))
}

async fn clients_of(store: Arc<dyn StateStore>) -> Vec<Instance> {
    let (provider, sidecar) = (Provider::get(&["keyvalue-relay"]), sidecar(Some(store)));
    let mut clients = Vec::new();
    for _ in 0..INSTANCES {
        clients.push(provider.instance(&sidecar, &[]).await);
    }
    clients
}

/// Bucket with clients that are used in turn.
struct KeyValue {
    clients: Vec<Mutex<Client>>,
    turns: AtomicUsize,
}

/// Instance, with the compare-and-swap handles behind the suite's etags.
struct Client {
    name: usize,
    instance: Instance,
    seen: HashMap<String, ResourceAny>,
    reads: usize,
}

impl KeyValue {
    fn new(instances: Vec<Instance>) -> Self {
        let client = |(name, instance)| Mutex::new(Client { name, instance, seen: HashMap::new(), reads: 0 });
        Self { clients: instances.into_iter().enumerate().map(client).collect(), turns: AtomicUsize::new(0) }
    }

    fn client(&self) -> &Mutex<Client> {
        &self.clients[self.turns.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }

    /// Returns the client that has read `etag`.
    fn reader(&self, etag: &str) -> Option<&Mutex<Client>> {
        self.clients.get(etag.split_once('.')?.0.parse::<usize>().ok()?)
    }
}

impl Client {
    async fn read(&mut self, key: &str) -> Result<Option<StateItem>, Error> {
        if !self.instance.exists(key).await? {
            return Ok(None);
        }
        // The handle is created before the read: a swap that succeeds then replaces the value that was read, or an
        // earlier one.
        let cas = self.instance.cas(key).await?;
        let Some(value) = self.instance.get(key).await? else { return Ok(None) };
        self.reads += 1;
        let etag = format!("{}.{}", self.name, self.reads);
        self.seen.insert(etag.clone(), cas);
        Ok(Some(StateItem { value: value.into(), etag: Some(etag), ..StateItem::default() }))
    }

    async fn write_first(&mut self, key: &str, value: &[u8]) -> Result<(), StateError> {
        let cas = self.instance.cas(key).await.map_err(failed)?;
        if self.instance.current(cas).await.map_err(failed)?.is_some() {
            return Err(StateError::EtagMismatch(None));
        }
        self.instance.swap(cas, value).await.map_err(swap_error)
    }
}

#[async_trait]
impl StateStore for KeyValue {
    fn features(&self) -> StateFeatures {
        StateFeatures::default()
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        self.client().lock().await.read(&app_key(request.key)).await.map_err(failed)
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let (key, first_write) = (app_key(request.key), request.options.concurrency == Concurrency::FirstWrite);
        let Some(etag) = request.etag else {
            let mut client = self.client().lock().await;
            return if first_write {
                client.write_first(&key, &request.value).await
            } else {
                client.instance.set(&key, &request.value).await.map_err(failed)
            };
        };
        let reader = self.reader(&etag).unwrap();
        let mut client = reader.lock().await;
        match client.seen.remove(&etag) {
            Some(cas) => client.instance.swap(cas, &request.value).await.map_err(swap_error),
            None => Err(StateError::EtagMismatch(None)),
        }
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.client().lock().await.instance.delete(&app_key(request.key)).await.map_err(failed)
    }

    async fn bulk_get(&self, requests: Vec<GetRequest>, _: usize) -> Vec<Result<Option<StateItem>, StateError>> {
        let keys: Vec<String> = requests.into_iter().map(|request| app_key(request.key)).collect();
        let found = self.client().lock().await.instance.get_many(&keys).await.unwrap();
        assert_eq!(found.len(), keys.len());
        let item = |(key, pair): (String, Option<(String, Vec<u8>)>)| {
            pair.map(|(found, value)| {
                assert_eq!(found, key);
                StateItem { value: value.into(), ..StateItem::default() }
            })
        };
        keys.into_iter().zip(found).map(|pair| Ok(item(pair))).collect()
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>, _: usize) -> Vec<Result<(), StateError>> {
        let pairs: Vec<_> = requests.into_iter().map(|it| (app_key(it.key), it.value.to_vec())).collect();
        self.client().lock().await.instance.set_many(&pairs).await.unwrap();
        pairs.iter().map(|_| Ok(())).collect()
    }

    async fn bulk_delete(&self, requests: Vec<DeleteRequest>, _: usize) -> Vec<Result<(), StateError>> {
        let keys: Vec<_> = requests.into_iter().map(|request| app_key(request.key)).collect();
        self.client().lock().await.instance.delete_many(&keys).await.unwrap();
        keys.iter().map(|_| Ok(())).collect()
    }

    async fn ping(&self) -> Result<(), StateError> {
        self.client().lock().await.instance.exists("ping").await.map(drop).map_err(failed)
    }
}

/// Converts a key of the suite to one that applications may use. Its `||` is reserved for Dapr.
fn app_key(key: String) -> String {
    key.replace("||", "::")
}

fn failed(error: Error) -> StateError {
    StateError::Other(format!("{error:?}").into())
}

fn swap_error(error: CasError) -> StateError {
    match error {
        CasError::CasFailed(_) => StateError::EtagMismatch(None),
        CasError::StoreError(error) => failed(error),
    }
}
