//! Distributed locks, which expire.

use std::time::Duration;

use async_trait::async_trait;

use crate::backend::CallOptions;
use crate::{Dapr, Error};

/// Names of the calls in errors.
pub(crate) const TRY_LOCK: &str = "acquire a lock";
pub(crate) const UNLOCK: &str = "release a lock";

/// The part of a backend that handles locks.
#[async_trait]
pub(crate) trait LockBackend {
    async fn try_lock(&self, options: &CallOptions, store: &str, lock: &Lock<'_>, expiry: i32) -> Result<bool, Error>;

    async fn unlock(&self, options: &CallOptions, store: &str, lock: &Lock<'_>) -> Result<UnlockStatus, Error>;
}

/// A resource and its would-be owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lock<'a> {
    pub(crate) resource: &'a str,
    pub(crate) owner: &'a str,
}

/// A handle to one lock store.
#[derive(Clone, Copy)]
pub struct LockStore<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

/// Outcome of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlockStatus {
    /// The lock is released.
    Success,
    /// There is no such lock; it may have expired.
    NotFound,
    /// Another owner holds the lock.
    OtherOwner,
}

impl Dapr {
    /// Returns a handle to a lock store.
    #[must_use]
    pub fn locks<'a>(&'a self, name: &'a str) -> LockStore<'a> {
        LockStore { dapr: self, name }
    }
}

impl LockStore<'_> {
    /// Acquires the lock `resource` for `owner`, if nobody holds it, and returns at once whether it did.
    ///
    /// It expires after `expiry`, rounded up to whole seconds. A lock is not reentrant, so that
    /// each holder needs an owner of its own.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error. The lock may be held then, until it expires.
    pub async fn try_lock(&self, resource: &str, owner: &str, expiry: Duration) -> Result<bool, Error> {
        let seconds = expiry.as_secs().saturating_add(u64::from(expiry.subsec_nanos() > 0)).max(1);
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        let lock = Lock { resource, owner };
        self.dapr.backend.try_lock(&self.dapr.call_options, self.name, &lock, seconds).await
    }

    /// Releases the lock `resource`, if `owner` still holds it.
    ///
    /// # Errors
    /// If the store cannot be reached or responds with an error.
    pub async fn unlock(&self, resource: &str, owner: &str) -> Result<UnlockStatus, Error> {
        self.dapr.backend.unlock(&self.dapr.call_options, self.name, &Lock { resource, owner }).await
    }
}
