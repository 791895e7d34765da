//! Distributed locks: `/v1.0-alpha1/lock` and `/v1.0-alpha1/unlock`.

use std::time::Duration;

use dapr_client::lock::UnlockStatus;

use crate::DaprOverHttp;
use crate::bindings::exports::dapr::runtime::lock;
use crate::client::ask;
use crate::error::{Error, error_response};

impl lock::Guest for DaprOverHttp {
    fn try_lock(
        store: String,
        resource: String,
        owner: String,
        expiry_seconds: i32,
        deadline: Option<u32>,
    ) -> Result<bool, Error> {
        let seconds = u64::try_from(expiry_seconds).ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
            let message = format!("ExpiryInSeconds is not positive in lock store {store}");
            error_response(400, "ERR_MALFORMED_REQUEST", &message)
        })?;
        ask(deadline, async |dapr| dapr.locks(&store).try_lock(&resource, &owner, Duration::from_secs(seconds)).await)
    }

    fn unlock(
        store: String,
        resource: String,
        owner: String,
        deadline: Option<u32>,
    ) -> Result<lock::UnlockStatus, Error> {
        let status = ask(deadline, async |dapr| dapr.locks(&store).unlock(&resource, &owner).await)?;
        Ok(match status {
            UnlockStatus::Success => lock::UnlockStatus::Success,
            UnlockStatus::NotFound => lock::UnlockStatus::NotFound,
            UnlockStatus::OtherOwner => lock::UnlockStatus::OtherOwner,
        })
    }
}
