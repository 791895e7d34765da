//! Runs applications beside the Dapr building blocks, in one process.
//!
//! A [`Host`] starts each [`App`] with a sidecar of its own: a Wasm guest in this process, or a native process with
//! Dapr's environment. Invocations between guests never leave the process.

mod accept;
mod allow;
mod app;
mod app_health;
mod backoff;
mod channel;
#[cfg_attr(not(feature = "component-apps"), path = "component_app/without.rs")]
mod component_app;
mod components;
mod directory;
mod error;
mod external;
mod first_request;
mod forward;
mod go_errors;
mod graphs;
mod guest_app;
mod host;
mod input_bindings;
mod instances;
mod lifetime;
mod local_registry;
mod log;
mod middleware;
mod network;
mod process_app;
mod process_guard;
mod references;
mod replay;
mod workload_context;

pub use allow::{AllowRule, AllowRuleError};
pub use app::{App, Command};
pub use app_health::HealthCheck;
pub use component_app::ComponentError;
pub use error::StartError;
#[cfg(feature = "component-apps")]
pub use guest_wasi_http::command::ServeCommand;
pub use host::{Host, HostSettings, RunningApp};
pub use lifetime::HostEvent;
pub use local_registry::LocalRegistry;
pub use log::AppLog;
pub use process_guard::{GuardCommand, guard_processes};
