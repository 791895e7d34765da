//! Configuration stores.

mod file;
#[cfg(feature = "state-redis")]
mod redis;

use dapr_building_blocks::Registry;

/// Registers the configuration stores of this build.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("configuration.file", file::create);
    #[cfg(feature = "state-redis")]
    registry.register("configuration.redis", redis::create);
}
