//! Dapr's HTTP API in front of components of this process, without a socket.

mod invoke;
mod others;
mod state;
mod support;
