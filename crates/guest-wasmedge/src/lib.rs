//! Runs WebAssembly modules built for WasmEdge, unmodified, on wasmtime.
//!
//! WasmEdge adds sockets to WASI preview 1: twenty functions that Rust programs reach through `wasmedge_wasi_socket`,
//! `tokio_wasi` and `hyper_wasi`. This crate implements them. The host decides what a socket is connected to
//! ([`Network`]): the operating system's TCP and UDP, or a connection inside the process ([`MemoryStream`]).
//!
//! ```no_run
//! # use std::sync::Arc;
//! # async fn start(network: Arc<dyn guest_wasmedge::Network>, output: Arc<dyn guest_wasmedge::Output>) -> Result<(), Box<dyn std::error::Error>> {
//! let engine = guest_wasmedge::Engine::new(None)?;
//! let module = engine.compile(&std::fs::read("service.wasm")?)?;
//! let options = guest_wasmedge::GuestOptions {
//!     arguments: vec!["service.wasm".into()],
//!     environment: vec![],
//!     preopens: vec![],
//!     limits: guest_wasmedge::Limits::default(),
//!     descriptors: guest_wasmedge::DescriptorBudget::new(1000),
//!     network,
//!     graphs: Arc::default(),
//!     output,
//!     activity: Arc::default(),
//!     account: guest_wasmedge::Account::new(guest_wasmedge::Weight::default()),
//!     memory: guest_wasmedge::MemoryAccount::new(1 << 30),
//! };
//! let exit_code = guest_wasmedge::run(&engine, &module, options).await?;
//! # Ok(()) }
//! ```

mod abi;
mod activity;
pub mod command;
mod descriptors;
mod engine;
mod errno;
mod error;
mod guest;
mod memory;
mod meter;
mod network;
mod socket;
mod state;

pub use activity::Activity;
pub use descriptors::DescriptorBudget;
pub use engine::Engine;
pub use error::GuestError;
pub use guest::{GuestOptions, Limits, Preopen, run};
pub use guest_engine::{Account, MemoryAccount, Output, OutputStream, Weight};
pub use network::{Connecting, IoFuture, Network};
pub use socket::{AcceptQueue, ConnectionOwner, Listener, MemoryStream, Stream};
