//! Compiles modules ahead of time for each available WasmEdge.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::{FOLDER, install};
use crate::real;
use crate::repository::Repository;
use crate::setup::is_installed;

/// Compiles each module for each available WasmEdge.
///
/// A compiler that crashes on one module (that of 0.17.1 does, in LLVM, on modules with much SIMD) does not stop the
/// others; failures are reported at the end.
pub(crate) fn compile(repository: &Repository, modules: &[String]) -> Result<()> {
    let mut failed = Vec::new();
    for wasmedge in wasmedges()? {
        let version = toolchains::version(&wasmedge)?;
        let folder = repository.path(FOLDER).join(format!("wasmedge-{version}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for module in modules {
            let from = repository.path(FOLDER).join(module).with_extension("wasm");
            let begin = Instant::now();
            let say = || eprintln!("Compiling {} ahead of time", from.display());
            match toolchains::compile(&wasmedge, &from, say) {
                Ok(compiled) => {
                    install(&compiled, &folder.join(module).with_extension("so"))?;
                    eprintln!("  for WasmEdge {version}, after {} s", begin.elapsed().as_secs());
                }
                Err(error) => failed.push(format!("{module} for WasmEdge {version}: {error}")),
            }
        }
    }
    ensure!(failed.is_empty(), "not compiled: {}; the portable modules in {FOLDER}/ run everywhere", failed.join("; "));
    Ok(())
}

fn wasmedges() -> Result<Vec<PathBuf>> {
    if std::env::var_os("WASMEDGE").is_none() && is_installed("wasmedge") {
        return Ok(vec![PathBuf::from("wasmedge")]);
    }
    real::wasmedges()
}
