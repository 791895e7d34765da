//! Distributed locks: the import `dapr:runtime/lock`.

use async_trait::async_trait;

use super::super::CallOptions;
use super::wit::dapr::runtime::lock as wit;
use super::{WitBackend, convert_error};
use crate::Error;
use crate::lock::{Lock, LockBackend, TRY_LOCK, UNLOCK, UnlockStatus};

#[async_trait]
impl LockBackend for WitBackend {
    async fn try_lock(&self, options: &CallOptions, store: &str, lock: &Lock<'_>, expiry: i32) -> Result<bool, Error> {
        wit::try_lock(store, lock.resource, lock.owner, expiry, options.milliseconds())
            .map_err(|error| convert_error(options, TRY_LOCK, error))
    }

    async fn unlock(&self, options: &CallOptions, store: &str, lock: &Lock<'_>) -> Result<UnlockStatus, Error> {
        match wit::unlock(store, lock.resource, lock.owner, options.milliseconds()) {
            Ok(wit::UnlockStatus::Success) => Ok(UnlockStatus::Success),
            Ok(wit::UnlockStatus::NotFound) => Ok(UnlockStatus::NotFound),
            Ok(wit::UnlockStatus::OtherOwner) => Ok(UnlockStatus::OtherOwner),
            Err(error) => Err(convert_error(options, UNLOCK, error)),
        }
    }
}
