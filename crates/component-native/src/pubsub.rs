//! Message brokers.

mod in_memory;
#[cfg(feature = "pubsub-sqlite")]
mod sqlite;

use dapr_building_blocks::Registry;

/// Registers the brokers of this build.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("pubsub.in-memory", in_memory::create);
    #[cfg(feature = "pubsub-sqlite")]
    registry.register("pubsub.sqlite", sqlite::create);
}
