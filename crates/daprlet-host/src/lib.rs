//! Runs applications beside the Dapr building blocks, in one process.
//!
//! A [`Host`] starts each application, as an [`AppSpec`] describes it, with a sidecar of its own: a Wasm guest in this
//! process, or a native process with Dapr's environment. Invocations between guests never leave the process.

mod accept;
mod app_spec;
mod connection_pool;
mod directory;
mod error;
mod host;
mod lifetime;
mod local_registry;
mod log;
mod snapshot;
mod workload;

pub use self::app_spec::{ApiSettings, AppSpec, Command, RuntimeSettings, Workload};
pub use self::error::StartError;
pub use self::host::{Host, HostSettings, RunningApp};
pub use self::lifetime::HostEvent;
pub use self::local_registry::LocalRegistry;
pub use self::log::AppLog;
pub use self::snapshot::AppSnapshot;
pub use self::workload::{GuardCommand, guard_processes};
#[cfg(feature = "component-apps")]
pub use guest_wasi_http::command::ServeCommand;
