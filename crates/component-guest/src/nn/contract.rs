//! The interfaces of `wit/nn`, as wasmtime sees them.

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/nn has the documentation")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/nn",
        world: "ml",
        with: {
            "wasi:nn/graph.graph": crate::nn::Loaded,
            "wasi:nn/tensor.tensor": inference::Tensor,
            "wasi:nn/inference.graph-execution-context": crate::nn::Context,
            "wasi:nn/errors.error": inference::Refusal,
        },
        imports: {
            "wasi:nn/inference.[method]graph-execution-context.compute": async | trappable,
            default: trappable,
        },
        require_store_data_send: true,
    });
}

pub(super) use generated::Ml;
pub(super) use generated::wasi::nn::*;
