//! Lock stores.

mod in_memory;
#[cfg(feature = "state-redis")]
mod redis;

use dapr_building_blocks::Registry;

/// Registers the lock stores of this build.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("lock.in-memory", in_memory::create);
    #[cfg(feature = "state-redis")]
    registry.register("lock.redis", redis::create);
}
