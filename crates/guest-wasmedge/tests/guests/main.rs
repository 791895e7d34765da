//! Guests on this host: plain programs for WasmEdge, and hostile ones written by hand.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod handing_over;
mod host_tasks;
mod hostile;
mod nn;
mod plain;
mod support;
