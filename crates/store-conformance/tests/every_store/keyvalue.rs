//! `wasi:keyvalue` as a store of the suite, whoever answers it: daprlet from the state of an application, or a component.
//!
//! All of it goes through a component that exports `wasi:keyvalue`. For daprlet's that is `fixtures/keyvalue-relay`, which
//! imports what it exports: what comes out has passed the functions that an application calls.

mod atomics;
mod provider;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use building_blocks::state::{Concurrency, DeleteRequest, GetRequest, SetRequest, StateFeatures, StateItem};
use building_blocks::{StateError, StateStore};
use store_conformance::Behaviours;
use tokio::sync::Mutex;
use wasmtime::component::ResourceAny;

use provider::{CasError, Error, Instance, Provider, sidecar};

/// Enough for writers to meet each other.
const INSTANCES: usize = 4;

/// What `wasi:keyvalue` has of what stores have: its etags are those of compare-and-swap.
pub(crate) fn behaviours() -> Behaviours {
    Behaviours { swaps: true, ..Behaviours::default() }
}

/// The same with Redis behind, which lets a write with an etag pass where there is nothing any more.
pub(crate) fn behaviours_on_redis() -> Behaviours {
    Behaviours { etag_needs_the_key: false, ..behaviours() }
}

/// daprlet's `wasi:keyvalue` from this store, with several users at once.
pub(crate) async fn on(store: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    Arc::new(KeyValue::of(users_of(store).await))
}

/// What the first of these components answers, with the others inside.
pub(crate) async fn of_components(names: &[&str], environment: &[(&str, &str)]) -> Arc<dyn StateStore> {
    Arc::new(KeyValue::of(vec![Provider::of(names).instance(&sidecar(None), environment).await]))
}

async fn users_of(store: Arc<dyn StateStore>) -> Vec<Instance> {
    let (provider, sidecar) = (Provider::of(&["keyvalue-relay"]), sidecar(Some(store)));
    let mut users = Vec::new();
    for _ in 0..INSTANCES {
        users.push(provider.instance(&sidecar, &[]).await);
    }
    users
}

/// A bucket with users who take turns.
struct KeyValue {
    users: Vec<Mutex<User>>,
    turns: AtomicUsize,
}

/// An instance, and what it has seen: the etags of the suite.
struct User {
    name: usize,
    instance: Instance,
    seen: HashMap<String, ResourceAny>,
    reads: usize,
}

impl KeyValue {
    fn of(instances: Vec<Instance>) -> Self {
        let user = |(name, instance)| Mutex::new(User { name, instance, seen: HashMap::new(), reads: 0 });
        Self { users: instances.into_iter().enumerate().map(user).collect(), turns: AtomicUsize::new(0) }
    }

    fn user(&self) -> &Mutex<User> {
        &self.users[self.turns.fetch_add(1, Ordering::Relaxed) % self.users.len()]
    }

    /// The user who has read this.
    fn reader(&self, etag: &str) -> Option<&Mutex<User>> {
        self.users.get(etag.split_once('.')?.0.parse::<usize>().ok()?)
    }
}

impl User {
    async fn read(&mut self, key: &str) -> Result<Option<StateItem>, Error> {
        if !self.instance.exists(key).await? {
            return Ok(None);
        }
        // Seen before it is read: a swap that then succeeds replaces what was read, or something before it.
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
        self.instance.swap(cas, value).await.map_err(unswapped)
    }
}

#[async_trait]
impl StateStore for KeyValue {
    fn features(&self) -> StateFeatures {
        StateFeatures::default()
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        self.user().lock().await.read(&sent(request.key)).await.map_err(failed)
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let (key, first_write) = (sent(request.key), request.options.concurrency == Concurrency::FirstWrite);
        let Some(etag) = request.etag else {
            let mut user = self.user().lock().await;
            return if first_write {
                user.write_first(&key, &request.value).await
            } else {
                user.instance.set(&key, &request.value).await.map_err(failed)
            };
        };
        let reader = self.reader(&etag).unwrap();
        let mut user = reader.lock().await;
        match user.seen.remove(&etag) {
            Some(cas) => user.instance.swap(cas, &request.value).await.map_err(unswapped),
            None => Err(StateError::EtagMismatch(None)),
        }
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.user().lock().await.instance.delete(&sent(request.key)).await.map_err(failed)
    }

    async fn bulk_get(&self, requests: Vec<GetRequest>, _: usize) -> Vec<Result<Option<StateItem>, StateError>> {
        let keys: Vec<String> = requests.into_iter().map(|request| sent(request.key)).collect();
        let found = self.user().lock().await.instance.get_many(&keys).await.unwrap();
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
        let pairs: Vec<_> = requests.into_iter().map(|it| (sent(it.key), it.value.to_vec())).collect();
        self.user().lock().await.instance.set_many(&pairs).await.unwrap();
        pairs.iter().map(|_| Ok(())).collect()
    }

    async fn bulk_delete(&self, requests: Vec<DeleteRequest>, _: usize) -> Vec<Result<(), StateError>> {
        let keys: Vec<_> = requests.into_iter().map(|request| sent(request.key)).collect();
        self.user().lock().await.instance.delete_many(&keys).await.unwrap();
        keys.iter().map(|_| Ok(())).collect()
    }

    async fn ping(&self) -> Result<(), StateError> {
        self.user().lock().await.instance.exists("ping").await.map(drop).map_err(failed)
    }
}

/// A key as an application has it: the suite's have `||`, which is Dapr's own to write.
fn sent(key: String) -> String {
    key.replace("||", "::")
}

fn failed(error: Error) -> StateError {
    StateError::Other(format!("{error:?}").into())
}

fn unswapped(error: CasError) -> StateError {
    match error {
        CasError::CasFailed(_) => StateError::EtagMismatch(None),
        CasError::StoreError(error) => failed(error),
    }
}
