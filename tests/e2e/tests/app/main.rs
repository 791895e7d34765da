//! End-to-end tests of the complete application in one process.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod app_health;
mod classes;
mod command_line;
mod dapr_api;
#[cfg(unix)]
mod ending;
mod events;
mod hostile_guests;
mod http_app;
mod instances;
mod kept;
mod lifecycle;
#[cfg(unix)]
mod local_registry;
mod middleware;
mod mysql;
mod pictures;
mod pluggable;
#[cfg(unix)]
mod pubsub;
mod quick_start;
mod real_pictures;
mod refusals;
#[cfg(unix)]
mod reload;
mod resiliency;
mod secrecy;
mod slow_model;
mod wasi_nn;
mod wasm_store;

/// Options for services as WasmEdge modules.
fn options() -> e2e::Options {
    e2e::Options::default()
}
