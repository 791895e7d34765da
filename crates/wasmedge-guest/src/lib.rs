//! Runs WebAssembly modules built for WasmEdge, unmodified, on wasmtime.
//!
//! WasmEdge adds sockets to WASI preview 1: twenty functions that Rust programs reach through `wasmedge_wasi_socket`,
//! `tokio_wasi` and `hyper_wasi`. This crate implements them. The host decides what a socket is connected to
//! ([`Network`]): the operating system's TCP and UDP, or a connection inside the process ([`MemoryStream`]).
//!
//! ```no_run
//! # use std::sync::Arc;
//! # async fn start(network: Arc<dyn wasmedge_guest::Network>, output: Arc<dyn wasmedge_guest::Output>) -> Result<(), Box<dyn std::error::Error>> {
//! let engine = wasmedge_guest::Engine::new(None)?;
//! let module = engine.compile(&std::fs::read("service.wasm")?)?;
//! let options = wasmedge_guest::GuestOptions {
//!     arguments: vec!["service.wasm".into()],
//!     environment: vec![],
//!     preopens: vec![],
//!     limits: wasmedge_guest::Limits::default(),
//!     descriptors: wasmedge_guest::DescriptorBudget::new(1000),
//!     network,
//!     graphs: Arc::default(),
//!     output,
//!     activity: Arc::default(),
//!     account: wasmedge_guest::Account::new(wasmedge_guest::Weight::default()),
//!     memory: wasmedge_guest::MemoryAccount::new(1 << 30),
//! };
//! let exit_code = wasmedge_guest::run(&engine, &module, options).await?;
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
pub use network::{Connecting, IoFuture, Network};
pub use socket::{AcceptQueue, ConnectionOwner, Listener, MemoryStream, Stream};
pub use wasm_engine::{Account, MemoryAccount, Output, OutputStream, Weight};
