//! Runs modules built for WasmEdge on wasmtime, through WasmEdge's socket ABI.
