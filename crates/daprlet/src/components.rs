//! Component types: those of this build, and pluggable ones.

use std::path::Path;

use dapr_building_blocks::Registry;

use crate::environment::Environment;

/// Returns the registry of all component types. Compiled Wasm components are cached in `cache`.
pub(crate) async fn registry(cache: &Path, environment: &Environment) -> Registry {
    let mut registry = built_in(cache);
    add_pluggable(&mut registry, environment).await;
    registry
}

#[cfg(feature = "pluggable")]
async fn add_pluggable(registry: &mut Registry, environment: &Environment) {
    let folder = environment.get("DAPR_COMPONENTS_SOCKETS_FOLDER").unwrap_or("/tmp/dapr-components-sockets");
    component_pluggable::register(registry, component_pluggable::discover(Path::new(folder)).await);
}

#[cfg(not(feature = "pluggable"))]
async fn add_pluggable(_: &mut Registry, _: &Environment) {}

/// Returns the component types of this build.
#[cfg_attr(not(feature = "wasm-components"), expect(unused, reason = "native components are compiled already"))]
pub(crate) fn built_in(cache: &Path) -> Registry {
    let mut registry = component_native::registry();
    #[cfg(feature = "middleware-http")]
    http_wasm::register(&mut registry);
    #[cfg(feature = "wasm-components")]
    component_wasm::register(&mut registry, Some(cache.to_owned()));
    registry
}
