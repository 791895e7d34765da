//! The client against a real HTTP server on this machine.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod building_blocks;
mod configuration;
mod connections;
mod lock;
mod pubsub;
mod server;
