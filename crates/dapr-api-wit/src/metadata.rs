//! Metadata and health.

use dapr_runtime::{ApiError, Loaded, RUNTIME_VERSION};

use crate::DaprWit;
use crate::contract::metadata as wit;
use crate::contract::types::{Error, Milliseconds};

impl wit::Host for DaprWit {
    async fn get(&mut self, _: Option<Milliseconds>) -> Result<wit::Description, Error> {
        let component = |it: &Loaded| wit::ComponentInfo {
            name: it.name.clone(),
            kind: it.type_.clone(),
            version: it.version.clone(),
            capabilities: it.capabilities.clone(),
        };
        Ok(wit::Description {
            id: self.sidecar.app_id().to_owned(),
            runtime_version: RUNTIME_VERSION.to_owned(),
            components: self.sidecar.components().loaded().iter().map(component).collect(),
            extended: self.sidecar.extended_metadata().into_iter().collect(),
        })
    }

    async fn set(&mut self, key: String, value: String, _: Option<Milliseconds>) -> Result<(), Error> {
        self.sidecar.set_extended_metadata(key, value);
        Ok(())
    }

    async fn outbound_health(&mut self, _: Option<Milliseconds>) -> Result<(), Error> {
        if self.sidecar.health().outbound() { Ok(()) } else { Err(ApiError::outbound_not_ready().into()) }
    }
}
