//! Whether a component is of a world and within its grants, before it is started; with errors that say what is missing.

use wasmtime::component::types::ComponentItem;

use crate::engine::Module;
use crate::error::OpenError;
use crate::grants::Grants;

/// What the host gives to every component, as the beginnings of interface names.
const GIVEN: &[&str] =
    &["dapr:components/types@", "wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];

/// What only those get that are granted hosts.
const SOCKETS: &str = "wasi:sockets/";

/// What a world of the contract asks for.
pub(crate) struct Wanted {
    /// The world's name.
    pub(crate) world: &'static str,
    /// The interface that it exports, with its version.
    pub(crate) interface: &'static str,
    /// The functions of that interface.
    pub(crate) functions: &'static [&'static str],
}

/// Checks imports first: what a component wants says more about it than what it lacks.
pub(crate) fn check(module: &Module, wanted: &Wanted, grants: &Grants) -> Result<(), OpenError> {
    check_imports(module, grants)?;
    check_exports(module, wanted)
}

fn check_imports(module: &Module, grants: &Grants) -> Result<(), OpenError> {
    let type_ = module.component.component_type();
    let is_given = |name: &str| {
        GIVEN.iter().any(|given| name.starts_with(given)) || (name.starts_with(SOCKETS) && !grants.hosts.is_empty())
    };
    let names = type_.imports(module.engine.wasmtime()).map(|(name, _)| name);
    let imports: Vec<String> = names.filter(|name| !is_given(name)).map(str::to_owned).collect();
    if imports.is_empty() {
        return Ok(());
    }
    let hint = if imports.iter().all(|name| name.starts_with(SOCKETS)) { "; allowHosts would" } else { "" };
    Err(OpenError::RefusedImports { imports, hint })
}

fn check_exports(module: &Module, wanted: &Wanted) -> Result<(), OpenError> {
    let Wanted { world, interface, functions } = wanted;
    let engine = module.engine.wasmtime();
    let type_ = module.component.component_type();
    let missing = |missing: String| OpenError::MissingExport { world, missing };
    // Looked up as it will be called, so that 0.1.1 is found where 0.1.0 is wanted.
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
