//! Bindings.

#[cfg(feature = "bindings-cron")]
mod cron;
#[cfg(feature = "bindings-mysql")]
mod mysql;

use dapr_building_blocks::Registry;

/// Registers the bindings of this build.
pub(crate) fn register(registry: &mut Registry) {
    #[cfg(feature = "bindings-cron")]
    registry.register("bindings.cron", cron::create);
    #[cfg(feature = "bindings-mysql")]
    registry.register("bindings.mysql", mysql::create);
}
