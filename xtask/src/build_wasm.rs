//! `cargo xtask build-wasm`: builds the services, and programs of tests, as WebAssembly.
//!
//! Services are optimized, as `daprlet optimize` does; programs of tests and components stay as the compiler wrote them.

mod ahead;
mod components;
mod javascript;
mod nn;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

pub(crate) use components::TARGET as COMPONENT_TARGET;
pub(crate) use nn::{FEATURE as NN, services as with_nn};

use crate::progress::Progress;
use crate::repository::{Package, Repository, Workspace, output, run};

/// Target of modules for WasmEdge and daprlet.
pub(crate) const TARGET: &str = "wasm32-wasip1";
/// Cargo profile for this target.
const PROFILE: &str = "wasm";
/// Output directory, known to dapr.yaml and the tests.
pub(crate) const FOLDER: &str = "wasm";
/// Package with the programs that tests run on daprlet.
pub(crate) const FIXTURES: &str = "wasmedge-fixtures";

/// Builds the services for wasm32-wasip1, optimizes them, and puts them into `wasm/`
#[derive(Args, Default)]
pub(crate) struct BuildWasm {
    /// Also build the programs that the tests run
    #[arg(long)]
    pub(crate) fixtures: bool,

    /// Also build the Wasm components, into `wasm/components/`
    #[arg(long)]
    pub(crate) components: bool,

    /// Also build the services with inference on the host: `wasm/NAME-nn.wasm` and `wasm/components/NAME-nn.wasm`
    #[arg(long)]
    pub(crate) wasi_nn: bool,

    /// Also compile the services ahead of time, for the WasmEdge that `WASMEDGE` names, the one on the path, or those
    /// of `setup --real`: `wasm/wasmedge-VERSION/NAME.so`; takes minutes, once for each change
    #[arg(long)]
    pub(crate) wasmedge: bool,

    /// Build only this service; may be repeated
    #[arg(short, long, value_name = "SERVICE")]
    pub(crate) package: Vec<String>,
}

impl BuildWasm {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        install_target(repository, TARGET)?;
        let workspace = repository.workspace()?;
        let services = if self.package.is_empty() {
            workspace.services().collect()
        } else {
            self.package.iter().map(|name| workspace.package(name)).collect::<Result<Vec<_>>>()?
        };
        build(repository, &workspace, &services, &mut run)?;
        if self.wasmedge {
            let modules = services.iter().flat_map(|service| service.programs());
            ahead::compile(repository, &modules.map(str::to_owned).collect::<Vec<_>>())?;
        }
        if self.components {
            components::build(repository, &workspace)?;
        }
        if self.wasi_nn {
            nn::build(repository, &workspace)?;
        }
        if self.fixtures {
            // Built separately: together with the services it would enable features of shared crates.
            build(repository, &workspace, &[workspace.package(FIXTURES)?], &mut run)?;
        }
        Ok(())
    }

    /// Builds all services, and shows their progress in a line shared with other builds.
    pub(crate) fn run_with_progress(&self, repository: &Repository, progress: &Arc<Progress>) -> Result<()> {
        install_target(repository, TARGET)?;
        let workspace = repository.workspace()?;
        let services: Vec<_> = workspace.services().collect();
        build(repository, &workspace, &services, &mut |cargo| {
            let status = progress.spawn("services", cargo)?.wait()?;
            ensure!(status.success(), "the services cannot be built ({status})");
            Ok(())
        })
    }
}

/// Installs a Rust target if it is missing and rustup is available.
pub(crate) fn install_target(repository: &Repository, target: &str) -> Result<()> {
    let sysroot = output(repository.command("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim_end()).join("lib/rustlib").join(target).is_dir() {
        return Ok(());
    }
    eprintln!("Installing the Rust target {target}");
    run(repository.command("rustup").args(["target", "add", target]))
        .with_context(|| format!("without rustup, install Rust's {target} target as your system does"))
}

fn build(
    repository: &Repository,
    workspace: &Workspace,
    packages: &[&Package],
    run: &mut dyn FnMut(&mut Command) -> Result<()>,
) -> Result<()> {
    let how = ["--locked", "--profile", PROFILE, "--target", TARGET];
    let (alike, special): (Vec<&Package>, Vec<_>) = packages.iter().partition(|it| it.rustc_for_wasm().is_empty());
    if !alike.is_empty() {
        let names = alike.iter().flat_map(|package| ["--package", &package.name]);
        run(repository.cargo(&["build"]).args(how).args(names))?;
    }
    for (package, program) in special.iter().flat_map(|package| package.programs().map(|program| (*package, program))) {
        let name = ["--package", &package.name, "--bin", program];
        run(repository.cargo(&["rustc"]).args(how).args(name).arg("--").args(package.rustc_for_wasm()))?;
    }
    let from = workspace.target_directory.join(TARGET).join(PROFILE);
    let to = repository.path(FOLDER);
    fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for (package, program) in packages.iter().flat_map(|package| package.programs().map(move |it| (package, it))) {
        let file = format!("{program}.wasm");
        let install = if package.is_service() { install_optimized } else { install };
        install(&from.join(&file), &to.join(&file))?;
    }
    Ok(())
}

/// Copies a module or component into place, and prints its size.
fn install(from: &Path, to: &Path) -> Result<()> {
    copy(from, to)?;
    eprintln!("  {:<42} {:>6} KiB", below(to), kib(to)?);
    Ok(())
}

/// Optimizes a service into place, and prints its size, that of the compiler's output, and the changes.
fn install_optimized(from: &Path, to: &Path) -> Result<()> {
    let wasm = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let optimized = wasm_optimizer::optimize(&wasm).with_context(|| from.display().to_string())?;
    replace(to, |part| fs::write(part, &optimized.wasm))?;
    eprintln!("  {:<42} {:>6} KiB, optimized from {} KiB; {}", below(to), kib(to)?, kib(from)?, optimized.outcome);
    Ok(())
}

/// Copies a file atomically.
fn copy(from: &Path, to: &Path) -> Result<()> {
    replace(to, |part| fs::copy(from, part).map(drop)).with_context(|| format!("cannot copy {}", from.display()))
}

/// Writes a file atomically, so that a program started meanwhile gets the old or the new one.
fn replace(to: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    let part = to.with_extension("wasm.part");
    let written = write(&part).and_then(|()| fs::rename(&part, to));
    written.with_context(|| format!("cannot write {}", to.display()))
}

/// Returns a path from the output directory on: it may be in a subdirectory, for components or one version of WasmEdge.
fn below(path: &Path) -> String {
    path.iter().skip_while(|part| *part != FOLDER).collect::<PathBuf>().display().to_string()
}

/// Returns the size of a file.
fn kib(path: &Path) -> Result<u64> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(metadata.len().div_ceil(1024))
}
