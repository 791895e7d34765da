//! Events that wait for the recorder, in one bounded record guarded by its etag.

use std::collections::HashSet;

use dapr_client::state::{Entry, WriteOptions};
use dapr_client::{Dapr, Error};
use serde::{Deserialize, Serialize};

use super::Event;
use crate::keyed_mutex::KeyedMutex;

const KEY: &str = "outbox";

/// Most pending events: about 150 bytes each, all rewritten with every change.
pub(super) const CAPACITY: usize = 1000;

/// Most attempts to update the record when other instances change it at the same time.
const MAX_ATTEMPTS: usize = 8;

/// Pending events of one service.
pub(super) struct Outbox {
    dapr: Dapr,
    store: String,
    locks: KeyedMutex<()>,
}

/// Error from keeping an event.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutboxError {
    #[error("too many events wait already")]
    Full,
    #[error("the record keeps changing")]
    Contended,
    #[error(transparent)]
    Store(#[from] Error),
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Waiting {
    events: Vec<Event>,
}

impl Outbox {
    pub(super) fn new(dapr: Dapr, store: String) -> Self {
        Self { dapr, store, locks: KeyedMutex::new() }
    }

    /// Stores an event. Once this returns, the event is as durable as the store.
    pub(super) async fn keep(&self, event: &Event) -> Result<(), OutboxError> {
        self.change(|waiting| {
            if waiting.events.len() >= CAPACITY {
                return Err(OutboxError::Full);
            }
            waiting.events.push(event.clone());
            Ok(())
        })
        .await
    }

    /// Returns the pending events, oldest first.
    pub(super) async fn waiting(&self) -> Result<Vec<Event>, Error> {
        Ok(self.read().await?.map(|entry| entry.value.events).unwrap_or_default())
    }

    /// Removes recorded events, and leaves those that were added since.
    pub(super) async fn remove(&self, ids: &HashSet<&str>) -> Result<(), OutboxError> {
        self.change(|waiting| {
            waiting.events.retain(|event| !ids.contains(event.event_id.as_str()));
            Ok(())
        })
        .await
    }

    async fn change(&self, change: impl Fn(&mut Waiting) -> Result<(), OutboxError>) -> Result<(), OutboxError> {
        let _lock = self.locks.lock(()).await;
        let store = self.dapr.state(&self.store);
        for _ in 0..MAX_ATTEMPTS {
            let (mut waiting, etag) =
                self.read().await?.map_or_else(Default::default, |entry| (entry.value, entry.etag));
            change(&mut waiting)?;
            let is_new = etag.is_none();
            let options = etag.map_or_else(WriteOptions::if_absent, WriteOptions::if_unchanged);
            match store.save_with(KEY, &waiting, &options).await {
                Ok(()) => return Ok(()),
                // Redis reports a lost race for a new record as a plain error: the next read shows it.
                Err(error) if error.is_conflict() || (is_new && error.code().is_some()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OutboxError::Contended)
    }

    async fn read(&self) -> Result<Option<Entry<Waiting>>, Error> {
        self.dapr.state(&self.store).get(KEY).await
    }
}
