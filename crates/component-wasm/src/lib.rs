//! Loads Dapr components that are Wasm components into any program.
//!
//! They are written in any language against the contract in `wit/components`. This crate depends on neither daprlet nor
//! HTTP.
//!
//! A component is granted nothing by default ([`Grants`]) and is limited in memory and time ([`Limits`]). When it
//! traps, loops or runs out of memory, its caller gets an error and a new instance takes its place.
//!
//! ```no_run
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! use dapr_building_blocks::{StateStore as _, state::SetRequest};
//! use component_wasm::{Engine, Options, WasmStateStore};
//!
//! let engine = Engine::new(None)?;
//! let module = engine.load("state-in-memory.wasm", None).await?;
//! let store = WasmStateStore::open(&module, Options::named("store")).await?;
//! store.set(SetRequest::new("key", "value")).await?;
//! # Ok(()) }
//! ```

mod check;
mod component;
mod contract;
mod digest;
mod engine;
mod error;
mod grants;
mod host;
mod options;
mod output;
mod output_binding;
mod pool;
mod secrets;
mod state;
mod text;

pub use component::{HOST_PROPERTIES, component_type, register};
pub use digest::{Digest, DigestError};
pub use engine::{Engine, Module, World};
pub use error::{CallError, LoadError, OpenError, ReplaceError};
pub use grants::{Grants, HostRule, HostRuleError, Preopen, PreopenError};
pub use options::{Limits, Options};
pub use output_binding::WasmOutputBinding;
pub use secrets::WasmSecretStore;
pub use state::WasmStateStore;
