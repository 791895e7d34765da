//! The program `wasmtime`, from the crate registry: a runtime of components that nobody here wrote.

use anyhow::Result;

use crate::real::{self, WASMTIME};
use crate::repository::{Repository, run};

/// What it is built with: it runs commands, and that is all.
const FEATURES: &str = "run,cranelift,parallel-compilation,component-model";

/// Builds it, unless that version is there.
pub(crate) fn install(repository: &Repository) -> Result<()> {
    let folder = real::folder("wasmtime", WASMTIME)?;
    if folder.join("bin/wasmtime").is_file() {
        return Ok(());
    }
    eprintln!("Building wasmtime {WASMTIME}, which takes some minutes");
    let mut cargo = repository.cargo(&["install", "wasmtime-cli", "--locked", "--version", WASMTIME]);
    cargo.args(["--no-default-features", "--features", FEATURES]).arg("--root").arg(&folder);
    // What it runs here takes no time, so that less optimised is sooner done.
    run(cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"))
}
