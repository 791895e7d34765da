//! Components served on a socket and used from it: one side of the protocol is held against the other. What the real `daprd`
//! makes of a component served here is `crates/parity`'s to show.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

mod asked;
mod bindings;
mod discovery;
mod instances;
mod secrets;
mod state;
mod support;
