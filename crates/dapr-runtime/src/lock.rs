//! Distributed locks with the application's key prefix: `dapr/pkg/api/universal/lock.go`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use dapr_building_blocks::lock::{LockStore, TryLockRequest, UnlockRequest, UnlockStatus};
use dapr_building_blocks::{Component, ComponentSpec};

use crate::calls::CallTarget;
use crate::components::{AddError, Block};
use crate::resiliency::ComponentKind;
use crate::{ApiError, ErrorCategory, IllegalKey, KeyPrefix, Sidecar};

/// Prefix of every key, which keeps locks apart from state: `dapr/pkg/components/lock/lock_config.go`.
const PREFIX: &str = "lock||";

/// The lock stores of one application, by name.
#[derive(Clone, Default)]
pub(crate) struct LockStores(BTreeMap<String, ConfiguredLockStore>);

#[derive(Clone)]
struct ConfiguredLockStore {
    store: Arc<dyn LockStore>,
    prefix: KeyPrefix,
}

impl Block for LockStores {
    fn add(&mut self, spec: &ComponentSpec, component: &Component, _: &str) -> Result<Vec<String>, AddError> {
        if let Some(store) = component.lock_store.clone() {
            let prefix = key_prefix(spec.properties.get_raw("keyPrefix"))?;
            self.0.insert(spec.name.clone(), ConfiguredLockStore { store, prefix });
        }
        Ok(Vec::new())
    }
}

/// Parses `keyPrefix`. For locks, `namespace` is literal text.
fn key_prefix(property: Option<&str>) -> Result<KeyPrefix, IllegalKey> {
    match property {
        Some(text) if text.eq_ignore_ascii_case("namespace") => Ok(KeyPrefix::Literal("namespace".to_owned())),
        property => KeyPrefix::from_property(property, ""),
    }
}

impl Sidecar {
    /// Acquires a lock of the store `store`, if nobody holds it, and returns at once whether it did.
    ///
    /// # Errors
    /// When the request is invalid, or the store fails.
    pub async fn try_lock(&self, store: &str, mut request: TryLockRequest) -> Result<bool, ApiError> {
        if request.expiry_seconds <= 0 {
            return Err(ApiError::malformed(format_args!("ExpiryInSeconds is not positive in lock store {store}")));
        }
        let found = self.lock_store(store, &request.resource, &request.owner)?;
        let failed = |error: &dyn Display| {
            ApiError::internal("ERR_TRY_LOCK", format_args!("failed to try acquiring lock: {error}"))
        };
        request.resource = found.key(store, &request.resource, self.app_id()).map_err(|error| failed(&error))?;
        let target = CallTarget::Component(ComponentKind::Lock, store);
        let acquired = self.calls.run(target, "tryLock", request, |request| found.store.try_lock(request)).await;
        acquired.map_err(|error| failed(&error))
    }

    /// Releases a lock of the store `store`.
    ///
    /// # Errors
    /// When the request is invalid, or the store fails.
    pub async fn unlock(&self, store: &str, mut request: UnlockRequest) -> Result<UnlockStatus, ApiError> {
        let found = self.lock_store(store, &request.resource, &request.owner)?;
        let failed =
            |error: &dyn Display| ApiError::internal("ERR_UNLOCK", format_args!("failed to release lock: {error}"));
        request.resource = found.key(store, &request.resource, self.app_id()).map_err(|error| failed(&error))?;
        let target = CallTarget::Component(ComponentKind::Lock, store);
        let released = self.calls.run(target, "unlock", request, |request| found.store.unlock(request)).await;
        released.map_err(|error| failed(&error))
    }

    /// Checks a request as `lockValidateRequest` does, and looks up its store.
    fn lock_store(&self, store: &str, resource: &str, owner: &str) -> Result<ConfiguredLockStore, ApiError> {
        let components = self.components();
        let LockStores(stores) = &components.lock;
        if stores.is_empty() {
            let (code, message) = ("ERR_LOCK_STORE_NOT_CONFIGURED", "lock store is not configured");
            return Err(ApiError::new(ErrorCategory::FailedPrecondition, code, message));
        }
        for (name, value) in [("ResourceId", resource), ("LockOwner", owner)] {
            if value.is_empty() {
                return Err(ApiError::malformed(format_args!("{name} is empty in lock store {store}")));
            }
        }
        stores.get(store).cloned().ok_or_else(|| {
            let message = format_args!("lock store {store} not found");
            ApiError::new(ErrorCategory::InvalidArgument, "ERR_LOCK_STORE_NOT_FOUND", message)
        })
    }
}

impl ConfiguredLockStore {
    fn key(&self, store: &str, resource: &str, app_id: &str) -> Result<String, IllegalKey> {
        self.prefix.apply(resource, store, app_id).map(|key| format!("{PREFIX}{key}"))
    }
}

#[cfg(test)]
mod tests {
    use dapr_building_blocks::lock::LockError;

    use super::*;

    #[test]
    fn key_follows_the_prefix_strategy() {
        struct Nothing;
        #[async_trait::async_trait]
        impl LockStore for Nothing {
            async fn try_lock(&self, _: TryLockRequest) -> Result<bool, LockError> {
                Ok(true)
            }
            async fn unlock(&self, _: UnlockRequest) -> Result<UnlockStatus, LockError> {
                Ok(UnlockStatus::Success)
            }
        }
        let key = |property| {
            let prefix = key_prefix(property).unwrap();
            ConfiguredLockStore { store: Arc::new(Nothing), prefix }.key("store", "r", "app").unwrap()
        };
        assert_eq!(key(None), "lock||app||r");
        assert_eq!(key(Some("NAME")), "lock||store||r");
        assert_eq!(key(Some("none")), "lock||r");
        assert_eq!(key(Some("namespace")), "lock||namespace||r");
        assert_eq!(key(Some("Mine")), "lock||mine||r");
        assert!(key_prefix(Some("a||b")).is_err());
    }
}
