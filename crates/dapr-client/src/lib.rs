//! A typed Dapr client for services compiled to WebAssembly, and for native tools and tests.
//!
//! One API over Dapr's HTTP interface, with one module for each building block. The transport is chosen by the target:
//! `hyper_wasi` on WasmEdge's sockets for `wasm32-wasip1`, hyper elsewhere. Both keep connections alive.
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
mod endpoint;
mod error;
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
pub use endpoint::{Endpoint, EndpointError};
pub use error::Error;
pub use invoke::Invocation;
pub use metadata::{ComponentInfo, Metadata};
pub use secret::Secret;
pub use secrets::SecretStore;
pub use trace::TraceContext;
pub use transport::{Transport, TransportError};
