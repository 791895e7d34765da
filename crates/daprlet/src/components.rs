//! The component types of this build.

use std::path::Path;

use building_blocks::Registry;

/// All of them. Compiled Wasm components are kept in `cache`.
#[cfg_attr(not(feature = "wasm-components"), expect(unused, reason = "native components are compiled already"))]
pub(crate) fn registry(cache: &Path) -> Registry {
    let mut registry = native_components::registry();
    #[cfg(feature = "wasm-components")]
    wasm_components::register(&mut registry, Some(cache.to_owned()));
    registry
}
