//! The services with inference on the host, beside those with their own: a host without `wasi-nn` cannot start them.

use std::fs;

use anyhow::{Context as _, Result};

use super::{FOLDER, TARGET, components, install_optimized, install_target};
use crate::repository::{Package, Repository, Workspace, run};

/// Feature of a service, and suffix of its files.
pub(crate) const FEATURE: &str = "wasi-nn";
const SUFFIX: &str = "nn";

/// Cargo profile for these builds.
const PROFILE: &str = "wasm-nn";

/// Returns the services with this feature.
pub(crate) fn services(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.services().filter(|service| service.features.contains_key(FEATURE))
}

/// Builds each service with the feature, as a module and as a component: `wasm/NAME-nn.wasm`,
/// `wasm/components/NAME-nn.wasm`.
pub(super) fn build(repository: &Repository, workspace: &Workspace) -> Result<()> {
    let to = repository.path(FOLDER);
    fs::create_dir_all(to.join("components")).with_context(|| format!("cannot make {}", to.display()))?;
    for service in services(workspace) {
        let package = ["--package", service.name.as_str(), "--features", FEATURE];
        let output = |target: &str| workspace.target_directory.join(target).join(PROFILE);
        install_target(repository, TARGET)?;
        let program = ["build", "--locked", "--profile", PROFILE, "--target", TARGET];
        run(repository.cargo(&program).args(package))?;
        let file = format!("{}.wasm", service.name);
        let installed = format!("{}-{SUFFIX}.wasm", service.name);
        install_optimized(&output(TARGET).join(file), &to.join(&installed))?;
        install_target(repository, components::TARGET)?;
        let library = ["rustc", "--locked", "--profile", PROFILE, "--target", components::TARGET];
        run(repository.cargo(&library).args(["--lib", "--crate-type", "cdylib"]).args(package))?;
        let file = format!("{}.wasm", service.name.replace('-', "_"));
        install_optimized(&output(components::TARGET).join(file), &to.join("components").join(&installed))?;
    }
    Ok(())
}
