//! The list of component types: a line for each building block.

use dapr_building_blocks::Registry;

/// Returns the registry of all components in this build, by Dapr's type names.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    crate::configuration::register(&mut registry);
    crate::lock::register(&mut registry);
    crate::pubsub::register(&mut registry);
    #[cfg(any(feature = "state-in-memory", feature = "state-redis", feature = "state-sqlite"))]
    crate::state::register(&mut registry);
    #[cfg(any(feature = "secretstores-local-env", feature = "secretstores-local-file"))]
    crate::secretstores::register(&mut registry);
    #[cfg(any(feature = "bindings-cron", feature = "bindings-mysql"))]
    crate::bindings::register(&mut registry);
    #[cfg(feature = "middleware-http")]
    crate::middleware::register(&mut registry);
    registry
}
