//! The contract in `wit/components`, as generated for wasmtime.

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub(crate) mod state_store {
    wasmtime::component::bindgen!({
        path: "wit/components",
        world: "state-store",
        exports: { default: async },
    });
}

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub(crate) mod secret_store {
    wasmtime::component::bindgen!({
        path: "wit/components",
        world: "secret-store",
        exports: { default: async },
        with: { "dapr:components/types@0.1.0": super::state_store::dapr::components::types },
    });
}

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/components has the documentation")]
pub(crate) mod output_binding {
    wasmtime::component::bindgen!({
        path: "wit/components",
        world: "output-binding",
        exports: { default: async },
        with: { "dapr:components/types@0.1.0": super::state_store::dapr::components::types },
    });
}

pub(crate) use output_binding::OutputBinding as OutputBindingWorld;
pub(crate) use output_binding::exports::dapr::components::binding;
pub(crate) use secret_store::SecretStore as SecretStoreWorld;
pub(crate) use secret_store::exports::dapr::components::secrets;
pub(crate) use state_store::StateStore as StateStoreWorld;
pub(crate) use state_store::dapr::components::types;
pub(crate) use state_store::exports::dapr::components::state;
