//! Secret stores.

#[cfg(feature = "secretstores-local-env")]
mod local_env;
#[cfg(feature = "secretstores-local-file")]
mod local_file;

use dapr_building_blocks::Registry;

/// Registers the secret stores of this build.
pub(crate) fn register(registry: &mut Registry) {
    #[cfg(feature = "secretstores-local-file")]
    registry.register("secretstores.local.file", local_file::create);
    #[cfg(feature = "secretstores-local-env")]
    registry.register("secretstores.local.env", local_env::create);
}
