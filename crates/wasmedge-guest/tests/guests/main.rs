//! Guests on this host: programs written in the plainest way for WasmEdge, and hostile ones written by hand.

mod hostile;
mod plain;
mod support;
