//! Loads Dapr components that are Wasm modules, written in any language against the contract in `wit/components`, into any
//! program. There is no daprlet in here and no HTTP.
//!
//! A component is granted nothing by default ([`Grants`]), takes no more memory and time than it may ([`Limits`]), and when
//! it traps, loops or hungers, its caller gets an error and a new instance takes its place.
//!
//! ```no_run
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! use building_blocks::{StateStore as _, state::SetRequest};
//! use wasm_components::{Engine, Options, WasmStateStore};
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
pub use grants::{Folder, FolderError, Grants, HostRule, HostRuleError};
pub use options::{Limits, Options};
pub use output_binding::WasmOutputBinding;
pub use secrets::WasmSecretStore;
pub use state::WasmStateStore;
