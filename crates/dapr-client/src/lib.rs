//! A typed Dapr client for services compiled to WebAssembly, and for native tools and tests.
//!
//! One API, with one module for each building block. The target determines the protocol: Dapr's HTTP API with
//! `hyper_wasi` on WasmEdge's sockets for `wasm32-wasip1`, the imports of `dapr:runtime` for `wasm32-wasip2`
//! (components), and Dapr's HTTP API with hyper elsewhere. Connections are kept alive.
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
//! Everywhere, path segments are percent-encoded; an absent value is `None`; Dapr's error body becomes
//! [`Error::Refused`]; every call has a timeout; a secret cannot be printed.

mod backend;
mod bindings;
mod client;
pub mod configuration;
mod deadline;
mod endpoint;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod health;
mod invoke;
pub mod lock;
mod metadata;
mod path;
pub mod pubsub;
mod secret;
mod secrets;
pub mod state;
mod trace;
mod transport;

#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub use backend::wit::peer;
pub use bindings::{Binding, BindingCall, BindingResponse};
pub use client::Dapr;
pub use deadline::{Elapsed, sleep, timeout};
pub use endpoint::{Endpoint, EndpointError};
pub use error::Error;
pub use invoke::Invocation;
pub use metadata::{ComponentInfo, Metadata};
pub use secret::Secret;
pub use secrets::SecretStore;
pub use trace::TraceContext;
pub use transport::{Transport, TransportError};
