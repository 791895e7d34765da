//! Checks a component against its world and grants before it starts. Errors name what is missing.

use wasmtime::component::types::ComponentItem;

use crate::engine::Module;
use crate::error::OpenError;
use crate::grants::Grants;

/// Interfaces available to every component, as prefixes of their names.
const ALWAYS_AVAILABLE: &[&str] =
    &["dapr:components/types@", "wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];

/// Prefix of the interfaces available only to components with granted hosts.
const SOCKETS: &str = "wasi:sockets/";

/// Requirements of a world of the contract.
pub(crate) struct WorldSpec {
    /// Name of the world.
    pub(crate) world: &'static str,
    /// Interface that the component exports, with its version.
    pub(crate) interface: &'static str,
    /// Functions of that interface.
    pub(crate) functions: &'static [&'static str],
}

/// Checks imports, then exports: what a component imports says more about it than what it lacks.
pub(crate) fn check(module: &Module, spec: &WorldSpec, grants: &Grants) -> Result<(), OpenError> {
    check_imports(module, grants)?;
    check_exports(module, spec)
}

fn check_imports(module: &Module, grants: &Grants) -> Result<(), OpenError> {
    let type_ = module.component.component_type();
    let is_available = |name: &str| {
        ALWAYS_AVAILABLE.iter().any(|given| name.starts_with(given))
            || (name.starts_with(SOCKETS) && !grants.hosts.is_empty())
    };
    let names = type_.imports(module.engine.wasmtime()).map(|(name, _)| name);
    let imports: Vec<String> = names.filter(|name| !is_available(name)).map(str::to_owned).collect();
    if imports.is_empty() {
        return Ok(());
    }
    let hint = if imports.iter().all(|name| name.starts_with(SOCKETS)) { "; allowHosts would" } else { "" };
    Err(OpenError::RefusedImports { imports, hint })
}

fn check_exports(module: &Module, spec: &WorldSpec) -> Result<(), OpenError> {
    let WorldSpec { world, interface, functions } = spec;
    let engine = module.engine.wasmtime();
    let type_ = module.component.component_type();
    let missing = |missing: String| OpenError::MissingExport { world, missing };
    // Looked up as it will be called, so that 0.1.1 satisfies 0.1.0.
    let Some((_, index)) = module.component.get_export(None, interface) else {
        let unversioned = interface.split_once('@').map_or(*interface, |(name, _)| name);
        let is_other = |name: &&str| name.split_once('@').map_or(*name, |(name, _)| name) == unversioned;
        return Err(match type_.exports(engine).map(|(name, _)| name).find(is_other) {
            Some(found) => OpenError::WrongVersion { found: found.to_owned(), wanted: (*interface).to_owned() },
            None => missing((*interface).to_owned()),
        });
    };
    for function in *functions {
        let found = module.component.get_export(Some(&index), function);
        if !matches!(found, Some((ComponentItem::ComponentFunc(_), _))) {
            return Err(missing(format!("{interface}#{function}")));
        }
    }
    Ok(())
}
