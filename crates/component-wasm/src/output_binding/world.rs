//! The world `output-binding`, for the instance pool.

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::check::WorldSpec;
use crate::contract::OutputBindingWorld;
use crate::contract::types::{InitError, Properties};
use crate::host::HostState;
use crate::pool::World;

impl World for OutputBindingWorld {
    const SPEC: WorldSpec = WorldSpec {
        world: "output-binding",
        interface: "dapr:components/binding@0.1.0",
        functions: &["init", "operations", "invoke", "ping"],
    };

    /// Names of the operations.
    type Description = Vec<String>;

    fn bind(store: &mut Store<HostState>, instance: &Instance) -> wasmtime::Result<Self> {
        Self::new(store, instance)
    }

    async fn init(
        &self,
        store: &mut Store<HostState>,
        properties: &Properties,
    ) -> wasmtime::Result<Result<(), InitError>> {
        self.dapr_components_binding().call_init(store, properties).await
    }

    async fn describe(&self, store: &mut Store<HostState>) -> wasmtime::Result<Vec<String>> {
        self.dapr_components_binding().call_operations(store).await
    }

    /// Returns false: the contract cannot declare it.
    ///
    /// A binding that counts or queues in memory would break.
    fn may_be_many(_description: &Vec<String>) -> bool {
        false
    }
}
