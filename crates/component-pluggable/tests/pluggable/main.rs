//! Tests of both sides of the protocol against each other, over a socket.
//!
//! `tests/parity` tests how `daprd` uses a component served here.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

mod bindings;
mod discovery;
mod instances;
mod secrets;
mod state;
mod state_calls;
mod support;
