//! Distributed locks: `components-contrib/lock/store.go`.

use async_trait::async_trait;
use thiserror::Error;

use crate::BoxError;

/// A store of locks that expire.
#[async_trait]
pub trait LockStore: Send + Sync {
    /// Acquires a lock, if nobody holds it, and returns at once whether it did. A lock is not reentrant.
    async fn try_lock(&self, request: TryLockRequest) -> Result<bool, LockError>;

    /// Releases a lock that its owner still holds.
    async fn unlock(&self, request: UnlockRequest) -> Result<UnlockStatus, LockError>;
}

/// Acquisition of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryLockRequest {
    /// Resource to lock; a key of the store.
    pub resource: String,
    /// Owner of the lock, which alone can release it.
    pub owner: String,
    /// Time after which the lock expires, in seconds; positive.
    pub expiry_seconds: i32,
}

/// Release of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlockRequest {
    /// Locked resource.
    pub resource: String,
    /// Owner of the lock.
    pub owner: String,
}

/// Outcome of a release, with the numbers of `components-contrib/lock/responses.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlockStatus {
    /// The lock is released.
    Success = 0,
    /// There is no such lock; it may have expired.
    NotFound = 1,
    /// Another owner holds the lock.
    OtherOwner = 2,
}

/// An error of a lock store.
#[derive(Debug, Error)]
pub enum LockError {
    /// The store is unreachable now; the same call may succeed later.
    #[error("lock store unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store reported an error.
    #[error("{0}")]
    Other(#[source] BoxError),
}
