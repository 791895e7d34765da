//! Distributed locks.

use dapr_building_blocks::lock::{TryLockRequest, UnlockRequest, UnlockStatus};

use crate::DaprWit;
use crate::contract::lock as wit;
use crate::contract::types::{Error, Milliseconds};
use crate::error::within;

impl wit::Host for DaprWit {
    async fn try_lock(
        &mut self,
        store: String,
        resource: String,
        owner: String,
        expiry_seconds: i32,
        deadline: Option<Milliseconds>,
    ) -> Result<bool, Error> {
        let request = TryLockRequest { resource, owner, expiry_seconds };
        within(deadline, self.sidecar.try_lock(&store, request)).await
    }

    async fn unlock(
        &mut self,
        store: String,
        resource: String,
        owner: String,
        deadline: Option<Milliseconds>,
    ) -> Result<wit::UnlockStatus, Error> {
        let call = self.sidecar.unlock(&store, UnlockRequest { resource, owner });
        within(deadline, call).await.map(|status| match status {
            UnlockStatus::Success => wit::UnlockStatus::Success,
            UnlockStatus::NotFound => wit::UnlockStatus::NotFound,
            UnlockStatus::OtherOwner => wit::UnlockStatus::OtherOwner,
        })
    }
}
