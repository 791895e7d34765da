//! Dapr's HTTP API in front of components of this process, without a socket.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod h2c;
mod heads;
mod invoke;
mod others;
mod state;
mod support;
