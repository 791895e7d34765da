//! Dapr components that are built into daprlet, each behind its own Cargo feature.
//!
//! Each follows the component of the same type in `dapr/components-contrib` v1.18: the same properties, responses and
//! storage layout.

#[cfg(any(feature = "bindings-cron", feature = "bindings-mysql"))]
mod bindings;
mod configuration;
mod lock;
#[cfg(feature = "middleware-http")]
mod middleware;
mod pubsub;
#[cfg(feature = "redis-client")]
mod redis_client;
mod registry;
#[cfg(any(feature = "secretstores-local-env", feature = "secretstores-local-file"))]
mod secretstores;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "state-in-memory", feature = "state-redis", feature = "state-sqlite"))]
mod state;

pub use self::registry::registry;
