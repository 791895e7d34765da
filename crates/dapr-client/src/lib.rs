//! A typed Dapr client for services compiled to WebAssembly, and for native tools and tests.
//!
//! One API, with one module for each building block. The way to Dapr is chosen by the target: its HTTP API by `hyper_wasi` on
//! WasmEdge's sockets for `wasm32-wasip1`, the functions of `dapr:runtime` for `wasm32-wasip2` (components), its HTTP API by
//! hyper elsewhere. Connections are kept alive.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use dapr_client::{Dapr, Endpoint};
//!
//! let endpoint = Endpoint::from_lookup(|name| std::env::var(name).ok(), 3503)?;
//! let dapr = Dapr::connect(endpoint);
//! let greeting: Option<String> = dapr.state("statestore").get("greeting").await?.map(|entry| entry.value);
//! # drop(greeting);
//! # Ok(())
//! # }
//! ```
//!
//! What holds everywhere: path segments are percent-encoded; what is absent is `None`; Dapr's error body becomes
//! [`Error::Refused`]; every call ends at its deadline; a secret cannot be printed.

mod bindings;
mod client;
mod deadline;
mod endpoint;
mod error;
mod face;
#[cfg(feature = "fake")]
pub mod fake;
mod health;
mod invoke;
mod metadata;
mod path;
mod secret;
mod secrets;
pub mod state;
mod trace;
mod transport;

pub use bindings::{Binding, BindingAnswer, BindingCall};
pub use client::Dapr;
pub use deadline::{Elapsed, sleep, timeout};
pub use endpoint::{Endpoint, EndpointError};
pub use error::Error;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub use face::imports::peer;
pub use invoke::Invocation;
pub use metadata::{ComponentInfo, Metadata};
pub use secret::Secret;
pub use secrets::SecretStore;
pub use trace::TraceContext;
pub use transport::{Transport, TransportError};
