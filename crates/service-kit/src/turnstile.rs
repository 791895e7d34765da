//! One at a time for each key.
//!
//! Records with etags settle who was first between instances. Within one instance that would be wasteful: of sixteen
//! requests that arrive together for one record, fifteen would read, lose, and read again. They queue here instead.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Lets one holder of each key through.
pub(crate) struct Turnstile<K> {
    gates: Mutex<HashMap<K, Arc<AsyncMutex<()>>>>,
}

/// The right to be the only one with that key. The next one follows when it is dropped.
pub(crate) struct Passage<'a, K: Hash + Eq> {
    turnstile: &'a Turnstile<K>,
    key: K,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Hash + Eq + Clone> Turnstile<K> {
    pub(crate) fn new() -> Self {
        Self { gates: Mutex::default() }
    }

    /// Waits for the key's turn.
    pub(crate) async fn pass(&self, key: K) -> Passage<'_, K> {
        let gate =
            Arc::clone(self.gates.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default());
        let mut passage = Passage { turnstile: self, key, held: None };
        passage.held = Some(gate.lock_owned().await);
        passage
    }
}

impl<K: Hash + Eq> Drop for Passage<'_, K> {
    fn drop(&mut self) {
        self.held = None;
        let mut gates = self.turnstile.gates.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else holds or waits for the gate: forget the key, or a crawl through addresses would fill the memory.
        if gates.get(&self.key).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.key);
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
    async fn the_second_with_a_key_waits_and_another_key_does_not() {
        let turnstile = Turnstile::new();
        let first = turnstile.pass("a").await;
        let mut second = pin!(turnstile.pass("a"));
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(turnstile.pass("b").await);
        drop(first);
        drop(second.await);
        assert!(turnstile.gates.lock().unwrap().is_empty(), "keys are forgotten");
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_nothing_behind() {
        let turnstile = Turnstile::new();
        let first = turnstile.pass("a").await;
        {
            let mut second = pin!(turnstile.pass("a"));
            assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(first);
        assert!(turnstile.gates.lock().unwrap().is_empty());
    }
}
