//! The world `state-store`, for the instance pool.

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::check::WorldSpec;
use crate::contract::StateStoreWorld;
use crate::contract::state::{Description, Instances};
use crate::contract::types::{InitError, Properties};
use crate::host::HostState;
use crate::pool::World;

impl World for StateStoreWorld {
    const SPEC: WorldSpec = WorldSpec {
        world: "state-store",
        interface: "dapr:components/state@0.1.0",
        functions: &[
            "init",
            "describe",
            "get",
            "set",
            "delete",
            "bulk-get",
            "bulk-set",
            "bulk-delete",
            "transact",
            "ping",
        ],
    };

    type Description = Description;

    fn bind(store: &mut Store<HostState>, instance: &Instance) -> wasmtime::Result<Self> {
        Self::new(store, instance)
    }

    async fn init(
        &self,
        store: &mut Store<HostState>,
        properties: &Properties,
    ) -> wasmtime::Result<Result<(), InitError>> {
        self.dapr_components_state().call_init(store, properties).await
    }

    async fn describe(&self, store: &mut Store<HostState>) -> wasmtime::Result<Description> {
        self.dapr_components_state().call_describe(store).await
    }

    fn may_be_many(description: &Description) -> bool {
        description.instances == Instances::Many
    }
}
