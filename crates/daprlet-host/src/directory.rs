//! Directory of the applications of this process, and of other processes of this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use dapr_runtime::{App, Body, Directory, InvokeError};
use http::{Request, Response};

use crate::local_registry::LocalRegistry;

/// Applications by id.
pub(crate) struct HostDirectory {
    apps: RwLock<BTreeMap<String, Arc<App>>>,
    /// Registry of the applications of other processes.
    registry: Option<LocalRegistry>,
}

impl HostDirectory {
    pub(crate) fn new(registry: Option<LocalRegistry>) -> Self {
        Self { apps: RwLock::default(), registry }
    }

    pub(crate) fn add(&self, id: String, app: Arc<App>) {
        self.apps.write().unwrap_or_else(PoisonError::into_inner).insert(id, app);
    }

    /// Removes an application that has ended.
    pub(crate) fn remove(&self, id: &str) {
        self.apps.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

#[async_trait]
impl Directory for HostDirectory {
    fn find(&self, app_id: &str) -> Option<Arc<App>> {
        self.apps.read().unwrap_or_else(PoisonError::into_inner).get(app_id).cloned()
    }

    async fn call_elsewhere(
        &self,
        app_id: &str,
        caller: &str,
        request: Request<Body>,
    ) -> Result<Response<Body>, InvokeError> {
        let unknown = || InvokeError::Unknown { target: app_id.to_owned() };
        let registry = self.registry.as_ref().ok_or_else(unknown)?;
        registry.call(app_id, caller, request).await.map_err(|_| unknown())?
    }
}
