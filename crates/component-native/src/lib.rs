//! Dapr components that are built into daprlet, each behind its own Cargo feature.
//!
//! Each follows the component of the same type in `dapr/components-contrib` v1.18: the same properties, responses and
//! storage layout.

#[cfg(any(feature = "bindings-cron", feature = "bindings-mysql"))]
mod bindings;
#[cfg(any(feature = "secretstores-local-env", feature = "secretstores-local-file"))]
mod secretstores;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "state-in-memory", feature = "state-redis", feature = "state-sqlite"))]
mod state;

use dapr_building_blocks::Registry;

/// Returns the registry of all components in this build, by Dapr's type names.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    #[cfg(feature = "state-in-memory")]
    registry.register("state.in-memory", state::in_memory::create);
    #[cfg(feature = "state-sqlite")]
    registry.register("state.sqlite", state::sqlite::create);
    #[cfg(feature = "state-redis")]
    registry.register("state.redis", state::redis::create);
    #[cfg(feature = "secretstores-local-file")]
    registry.register("secretstores.local.file", secretstores::local_file::create);
    #[cfg(feature = "secretstores-local-env")]
    registry.register("secretstores.local.env", secretstores::local_env::create);
    #[cfg(feature = "bindings-cron")]
    registry.register("bindings.cron", bindings::cron::create);
    #[cfg(feature = "bindings-mysql")]
    registry.register("bindings.mysql", bindings::mysql::create);
    registry
}
