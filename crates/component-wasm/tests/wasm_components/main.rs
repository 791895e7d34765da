//! Loads components as a program does: valid ones, hostile ones, and files that are not components.
//!
//! The modules come from `cargo xtask build-wasm --components`; `WASM_DIR` names another directory for them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail them by panicking")]

mod grants;
mod hostile;
mod load;
mod output_binding;
mod redis;
mod registry;
mod replace;
mod secrets;
mod support;
