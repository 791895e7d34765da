//! Tests of Dapr's HTTP API in front of components of this process, without a socket.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod building_blocks;
mod h2c;
mod header_timeout;
mod invoke;
mod lock;
mod state;
mod support;
