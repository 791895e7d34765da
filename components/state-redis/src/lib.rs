//! A state store on a Redis server, as a component of the world `dapr:components/state-store`.
//!
//! It matches Dapr's `state.redis`: the same layout in Redis, so that both can share a server, the same rules of etags,
//! first writes and expiry, and the same error messages. It connects through the TCP socket that its host grants,
//! without TLS.
//!
//! The component itself keeps no state, so that there may be many instances, each with one connection.

mod connection;
mod error;
mod request;
mod scripts;
mod settings;
mod store;

use store::StateRedis;

dapr_component::export_state_store!(StateRedis);
