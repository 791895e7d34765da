//! The world `output-binding`, as the pool of instances sees it.

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::check::Wanted;
use crate::contract::OutputBindingWorld;
use crate::contract::types::{InitError, Properties};
use crate::host::HostState;
use crate::pool::World;

impl World for OutputBindingWorld {
    const WANTED: Wanted = Wanted {
        world: "output-binding",
        interface: "dapr:components/binding@0.1.0",
        functions: &["init", "operations", "invoke", "ping"],
    };

    /// The names of its operations.
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

    /// The contract does not let a binding say so, and one that counts or queues in its memory would be wrong as many.
    fn may_be_many(_description: &Vec<String>) -> bool {
        false
    }
}
