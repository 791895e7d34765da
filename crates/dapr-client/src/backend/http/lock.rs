//! Distributed locks: `/v1.0-alpha1/lock` and `/v1.0-alpha1/unlock`.

use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};

use super::super::CallOptions;
use super::{HttpBackend, read_json};
use crate::Error;
use crate::lock::{Lock, LockBackend, TRY_LOCK, UNLOCK, UnlockStatus};
use crate::path::ApiPath;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    resource_id: &'a str,
    lock_owner: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_in_seconds: Option<i32>,
}

#[derive(Deserialize)]
struct Acquired {
    success: bool,
}

#[derive(Deserialize)]
struct Released {
    status: i32,
}

#[async_trait]
impl LockBackend for HttpBackend {
    async fn try_lock(&self, options: &CallOptions, store: &str, lock: &Lock<'_>, expiry: i32) -> Result<bool, Error> {
        let path = ApiPath::new("/v1.0-alpha1/lock").segment(store);
        let body = Body { resource_id: lock.resource, lock_owner: lock.owner, expiry_in_seconds: Some(expiry) };
        let call = self.build_call(options, TRY_LOCK, Method::POST, &path)?.json(&body)?;
        let response = self.send_checked(options, call).await?;
        Ok(read_json::<Acquired>(TRY_LOCK, &response)?.is_some_and(|acquired| acquired.success))
    }

    async fn unlock(&self, options: &CallOptions, store: &str, lock: &Lock<'_>) -> Result<UnlockStatus, Error> {
        let path = ApiPath::new("/v1.0-alpha1/unlock").segment(store);
        let body = Body { resource_id: lock.resource, lock_owner: lock.owner, expiry_in_seconds: None };
        let call = self.build_call(options, UNLOCK, Method::POST, &path)?.json(&body)?;
        let response = self.send_checked(options, call).await?;
        // Dapr's `INTERNAL_ERROR` comes with an error status.
        Ok(match read_json::<Released>(UNLOCK, &response)?.map(|released| released.status) {
            Some(0) => UnlockStatus::Success,
            Some(2) => UnlockStatus::OtherOwner,
            _ => UnlockStatus::NotFound,
        })
    }
}
