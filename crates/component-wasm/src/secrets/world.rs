//! The world `secret-store`, for the instance pool.

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::check::WorldSpec;
use crate::contract::SecretStoreWorld;
use crate::contract::secrets::Features;
use crate::contract::types::{InitError, Properties};
use crate::host::HostState;
use crate::pool::World;

impl World for SecretStoreWorld {
    const SPEC: WorldSpec = WorldSpec {
        world: "secret-store",
        interface: "dapr:components/secrets@0.1.0",
        functions: &["init", "describe", "get", "bulk-get", "ping"],
    };

    type Description = Features;

    fn bind(store: &mut Store<HostState>, instance: &Instance) -> wasmtime::Result<Self> {
        Self::new(store, instance)
    }

    async fn init(
        &self,
        store: &mut Store<HostState>,
        properties: &Properties,
    ) -> wasmtime::Result<Result<(), InitError>> {
        self.dapr_components_secrets().call_init(store, properties).await
    }

    async fn describe(&self, store: &mut Store<HostState>) -> wasmtime::Result<Features> {
        self.dapr_components_secrets().call_describe(store).await
    }

    /// Secrets are read once, at the start; one instance is enough.
    fn may_be_many(_description: &Features) -> bool {
        false
    }
}
