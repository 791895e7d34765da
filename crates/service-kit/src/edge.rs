//! The HTTP server around a service: hyper_wasi on WasmEdge's sockets, or hyper natively, for tests.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(target_os = "wasi")]
mod wasi;

#[cfg(not(target_os = "wasi"))]
pub use native::serve;
#[cfg(target_os = "wasi")]
pub use wasi::serve;
