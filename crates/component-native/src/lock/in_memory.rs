//! `lock.in-memory`: locks of one process, for all of its applications. Dapr has no such component.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::lock::{LockError, LockStore, TryLockRequest, UnlockRequest, UnlockStatus};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use tokio::time::Instant;

/// Number of locks from which expired ones are searched for and removed.
const SWEEP_FROM: usize = 1024;

/// Locks by resource.
#[derive(Default)]
struct InMemory(Mutex<Locks>);

#[derive(Default)]
struct Locks {
    held: HashMap<String, Held>,
    /// Number of locks from which the next sweep is worth it.
    sweep_from: usize,
}

struct Held {
    owner: String,
    until: Instant,
}

/// Stores by component name: applications that see the same component share its locks.
static STORES: LazyLock<Mutex<HashMap<String, Weak<InMemory>>>> = LazyLock::new(Mutex::default);

/// Creates the component; the applications of a process share the store of a name.
pub(super) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = stores.get(&spec.name).and_then(Weak::upgrade);
    let store = known.unwrap_or_default();
    stores.retain(|_, store| store.strong_count() > 0);
    stores.insert(spec.name, Arc::downgrade(&store));
    Ok(Component { lock_store: Some(store), ..Component::default() })
}

#[async_trait]
impl LockStore for InMemory {
    async fn try_lock(&self, request: TryLockRequest) -> Result<bool, LockError> {
        let now = Instant::now();
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.sweep(now);
        if locks.held.get(&request.resource).is_some_and(|held| held.until > now) {
            return Ok(false);
        }
        let until = now + Duration::from_secs(request.expiry_seconds.unsigned_abs().into());
        locks.held.insert(request.resource, Held { owner: request.owner, until });
        Ok(true)
    }

    async fn unlock(&self, request: UnlockRequest) -> Result<UnlockStatus, LockError> {
        let now = Instant::now();
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match locks.held.get(&request.resource).filter(|held| held.until > now) {
            None => UnlockStatus::NotFound,
            Some(held) if held.owner != request.owner => UnlockStatus::OtherOwner,
            Some(_) => {
                locks.held.remove(&request.resource);
                UnlockStatus::Success
            }
        })
    }
}

impl Locks {
    /// Removes expired locks, at most once per doubling of the number of locks.
    fn sweep(&mut self, now: Instant) {
        if self.held.len() >= self.sweep_from.max(SWEEP_FROM) {
            self.held.retain(|_, held| held.until > now);
            self.sweep_from = self.held.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn expired_locks_do_not_stay_in_memory() {
        let store = InMemory::default();
        let lock = |resource: usize| TryLockRequest {
            resource: resource.to_string(),
            owner: "o".to_owned(),
            expiry_seconds: 1,
        };
        for resource in 0..10 * SWEEP_FROM {
            assert!(store.try_lock(lock(resource)).await.unwrap());
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!(store.0.lock().unwrap().held.len() <= SWEEP_FROM);
    }

    #[tokio::test]
    async fn applications_share_the_locks_of_a_component() {
        let create = async || {
            let spec = ComponentSpec { name: "shared".to_owned(), ..ComponentSpec::default() };
            create(spec, Context::default()).await.unwrap().lock_store.unwrap()
        };
        let (one, other) = (create().await, create().await);
        let lock = TryLockRequest { resource: "r".to_owned(), owner: "o".to_owned(), expiry_seconds: 60 };
        assert!(one.try_lock(lock.clone()).await.unwrap());
        assert!(!other.try_lock(lock).await.unwrap());
    }
}
