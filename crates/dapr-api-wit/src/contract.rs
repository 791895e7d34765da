//! The contract in `wit/runtime`, as wasmtime sees it.

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/runtime has the documentation")]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit/runtime",
        world: "application",
        imports: { default: async },
        require_store_data_send: true,
    });
}

pub(crate) use generated::Application;
pub(crate) use generated::dapr::runtime::*;
