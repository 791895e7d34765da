//! The program `wasmtime` from the crate registry: an independent component runtime.

use anyhow::Result;

use toolchains::WASMTIME;

use crate::real;
use crate::repository::{Repository, run};

/// Cargo features: it runs commands and serves HTTP.
const FEATURES: &str =
    "run,serve,wasi-keyvalue,cranelift,parallel-compilation,pooling-allocator,component-model,component-model-async";

/// Builds it, unless this version exists.
pub(crate) fn install(repository: &Repository) -> Result<()> {
    let folder = real::wasmtime_folder()?;
    if folder.join("bin/wasmtime").is_file() {
        return Ok(());
    }
    eprintln!("Building wasmtime {WASMTIME}, which takes some minutes");
    let mut cargo = repository.cargo(&["install", "wasmtime-cli", "--locked", "--version", WASMTIME]);
    cargo.args(["--no-default-features", "--features", FEATURES]).arg("--root").arg(&folder);
    run(&mut cargo)
}
