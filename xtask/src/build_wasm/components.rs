//! The Wasm components: those of `components/`, and what tests load beside them.

use std::fs;

use anyhow::{Context as _, Result};

use super::{FOLDER, PROFILE, install, install_target};
use crate::repository::{Repository, Workspace, run};

/// What makes a component and not a core module.
pub(crate) const TARGET: &str = "wasm32-wasip2";

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
        // A library's file has underscores where its package has hyphens.
        let file = format!("{}.wasm", component.name.replace('-', "_"));
        install(&from.join(file), &to.join(format!("{}.wasm", component.name)))?;
    }
    Ok(())
}
