//! Downloads from a local server, and models from files.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod conversion;
mod downloads;
mod efficientnet;
mod server;
mod weights;
