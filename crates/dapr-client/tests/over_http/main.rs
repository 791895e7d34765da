//! The client against a real HTTP server on this machine.

mod building_blocks;
mod connections;
mod server;
