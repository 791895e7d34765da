//! The Wasm components: those of `components/`, what tests load beside them, and the services as applications without HTTP to
//! a sidecar.

use std::fs;

use anyhow::{Context as _, Result};

use super::{FOLDER, PROFILE, install, install_target, javascript};
use crate::repository::{Repository, Workspace, run};

/// What makes a component and not a core module.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// A provider that is built as a core module, too, so that a component is made of it without the toolchain's help.
const CORE: &str = "keyvalue";
/// The target of core modules that import nothing.
const CORE_TARGET: &str = "wasm32-unknown-unknown";

/// Builds all of them for wasm32-wasip2, which is all it takes, and puts them into `wasm/components/`.
pub(super) fn build(repository: &Repository, workspace: &Workspace) -> Result<()> {
    install_target(repository, TARGET)?;
    let mut cargo = repository.cargo(&["build", "--locked", "--profile", PROFILE, "--target", TARGET]);
    for component in workspace.components() {
        cargo.args(["--package", &component.name]);
    }
    run(&mut cargo)?;
    let from = workspace.target_directory.join(TARGET).join(PROFILE);
    let to = repository.path(FOLDER).join("components");
    fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for component in workspace.components() {
        let name = &component.name;
        // A library's file has underscores where its package has hyphens; a program's has not.
        let is_program = component.programs().next().is_some();
        let file = if is_program { name.clone() } else { name.replace('-', "_") };
        install(&from.join(format!("{file}.wasm")), &to.join(format!("{name}.wasm")))?;
    }
    for service in workspace.services() {
        // As a program a service is a module for WasmEdge; as a component it is the library that the host calls.
        let mut cargo = repository.cargo(&["rustc", "--locked", "--profile", PROFILE, "--target", TARGET]);
        cargo.args(["--lib", "--crate-type", "cdylib", "--package", &service.name]);
        run(cargo.arg("--").args(service.rustc_for_wasm()))?;
        let file = format!("{}.wasm", service.name.replace('-', "_"));
        install(&from.join(file), &to.join(format!("{}.wasm", service.name)))?;
    }
    javascript::build(repository, &to)?;
    install_target(repository, CORE_TARGET)?;
    let core = ["build", "--locked", "--profile", PROFILE, "--target", CORE_TARGET, "--package", CORE];
    run(&mut repository.cargo(&core))?;
    let from = workspace.target_directory.join(CORE_TARGET).join(PROFILE);
    install(&from.join(format!("{CORE}.wasm")), &to.join(format!("{CORE}.core.wasm")))
}
