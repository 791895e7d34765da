//! The component types of this build, and those that others serve.

use std::path::Path;

use building_blocks::Registry;

use crate::environment::Environment;

/// All of them. Compiled Wasm components are kept in `cache`.
pub(crate) async fn registry(cache: &Path, environment: &Environment) -> Registry {
    let mut registry = of_this_build(cache);
    add_those_on_sockets(&mut registry, environment).await;
    registry
}

#[cfg(feature = "pluggable")]
async fn add_those_on_sockets(registry: &mut Registry, environment: &Environment) {
    let folder = environment.get("DAPR_COMPONENTS_SOCKETS_FOLDER").unwrap_or("/tmp/dapr-components-sockets");
    pluggable::register(registry, pluggable::discover(Path::new(folder)).await);
}

#[cfg(not(feature = "pluggable"))]
async fn add_those_on_sockets(_: &mut Registry, _: &Environment) {}

/// Those that are part of the program.
#[cfg_attr(not(feature = "wasm-components"), expect(unused, reason = "native components are compiled already"))]
pub(crate) fn of_this_build(cache: &Path) -> Registry {
    let mut registry = native_components::registry();
    #[cfg(feature = "wasm-components")]
    wasm_components::register(&mut registry, Some(cache.to_owned()));
    registry
}
