//! State stores.

#[cfg(feature = "state-in-memory")]
mod in_memory;
#[cfg(feature = "state-redis")]
mod redis;
#[cfg(feature = "state-sqlite")]
mod sqlite;

use dapr_building_blocks::Registry;

/// Registers the state stores of this build.
pub(crate) fn register(registry: &mut Registry) {
    #[cfg(feature = "state-in-memory")]
    registry.register("state.in-memory", in_memory::create);
    #[cfg(feature = "state-sqlite")]
    registry.register("state.sqlite", sqlite::create);
    #[cfg(feature = "state-redis")]
    registry.register("state.redis", redis::create);
}
