//! Components as a host uses them: made by the registry from a spec.

#[cfg(all(feature = "state-in-memory", feature = "state-redis", feature = "state-sqlite"))]
mod conformance;
#[cfg(feature = "state-sqlite")]
mod durability;
mod harness;
#[cfg(feature = "bindings-mysql")]
mod mysql;
mod registry;
#[cfg(any(feature = "bindings-mysql", feature = "state-redis"))]
mod server;
