//! The HTTP server of a service.
//!
//! hyper_wasi on WasmEdge's sockets, the host's own server for a component, or axum's natively for tests and debuggers.

#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub mod component;
#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod wasi;

#[cfg(not(target_os = "wasi"))]
pub use native::{listen, serve};
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub use wasi::listen;
