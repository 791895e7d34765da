//! The Wasm components: those of `components/`, fixtures of tests, and the services as component applications.

use std::fs;

use anyhow::{Context as _, Result};

use super::{FOLDER, PROFILE, install, install_optimized, install_target, javascript};
use crate::repository::{Repository, Workspace, run};

/// Target of components.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Provider that is also built as a core module, so that a component can be made of it without the toolchain.
const CORE: &str = "keyvalue";
/// Target of core modules without imports.
const CORE_TARGET: &str = "wasm32-unknown-unknown";

/// Builds all components for wasm32-wasip2 into `wasm/components/`.
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
        // A library's file has underscores where its package has hyphens; a program's does not.
        let is_program = component.programs().next().is_some();
        let file = if is_program { name.clone() } else { name.replace('-', "_") };
        install(&from.join(format!("{file}.wasm")), &to.join(format!("{name}.wasm")))?;
    }
    for service in workspace.services() {
        // A service's program is a WasmEdge module; its component is the library that the host calls.
        let mut cargo = repository.cargo(&["rustc", "--locked", "--profile", PROFILE, "--target", TARGET]);
        cargo.args(["--lib", "--crate-type", "cdylib", "--package", &service.name]);
        run(cargo.arg("--").args(service.rustc_for_wasm()))?;
        let file = format!("{}.wasm", service.name.replace('-', "_"));
        install_optimized(&from.join(file), &to.join(format!("{}.wasm", service.name)))?;
    }
    javascript::build(repository, &to)?;
    install_target(repository, CORE_TARGET)?;
    let core = ["build", "--locked", "--profile", PROFILE, "--target", CORE_TARGET, "--package", CORE];
    run(&mut repository.cargo(&core))?;
    let from = workspace.target_directory.join(CORE_TARGET).join(PROFILE);
    install(&from.join(format!("{CORE}.wasm")), &to.join(format!("{CORE}.core.wasm")))
}
