//! A mutex for each key.
//!
//! Etags decide races between instances. Within one instance that would be wasteful: of sixteen requests that arrive
//! together for one record, fifteen would read, lose, and read again. They queue here instead.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Locks keys, one holder each.
pub(crate) struct KeyedMutex<K> {
    locks: Mutex<HashMap<K, Arc<AsyncMutex<()>>>>,
}

/// Lock on a key, released on drop.
pub(crate) struct KeyLock<'a, K: Hash + Eq> {
    mutex: &'a KeyedMutex<K>,
    key: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Hash + Eq + Clone> KeyedMutex<K> {
    pub(crate) fn new() -> Self {
        Self { locks: Mutex::default() }
    }

    /// Locks a key, after waiting for its current holder.
    pub(crate) async fn lock(&self, key: K) -> KeyLock<'_, K> {
        let mutex =
            Arc::clone(self.locks.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default());
        let mut lock = KeyLock { mutex: self, key, guard: None };
        lock.guard = Some(mutex.lock_owned().await);
        lock
    }
}

impl<K: Hash + Eq> Drop for KeyLock<'_, K> {
    fn drop(&mut self) {
        self.guard = None;
        let mut locks = self.mutex.locks.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody holds or waits for the lock: remove the key, or many addresses would fill the memory.
        if locks.get(&self.key).is_some_and(|mutex| Arc::strong_count(mutex) == 1) {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn second_lock_of_a_key_waits_and_other_keys_do_not() {
        let mutex = KeyedMutex::new();
        let first = mutex.lock("a").await;
        let mut second = pin!(mutex.lock("a"));
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(mutex.lock("b").await);
        drop(first);
        drop(second.await);
        assert!(mutex.locks.lock().unwrap().is_empty(), "keys are forgotten");
    }

    #[tokio::test]
    async fn cancelled_lock_leaves_no_key_behind() {
        let mutex = KeyedMutex::new();
        let first = mutex.lock("a").await;
        {
            let mut second = pin!(mutex.lock("a"));
            assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(first);
        assert!(mutex.locks.lock().unwrap().is_empty());
    }
}
