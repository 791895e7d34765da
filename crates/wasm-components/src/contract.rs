//! The contract in `wit/components`, as wasmtime sees it.

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub(crate) mod state_store {
    wasmtime::component::bindgen!({
        path: "../../wit/components",
        world: "state-store",
        exports: { default: async },
    });
}

pub(crate) use state_store::StateStore as StateStoreWorld;
pub(crate) use state_store::dapr::components::types;
pub(crate) use state_store::exports::dapr::components::state;
