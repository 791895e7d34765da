//! Compiling modules ahead of time for WasmEdge. What comes out belongs to one version of WasmEdge; WasmEdge itself calls
//! it a shared library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

use super::{FOLDER, install};
use crate::real;
use crate::repository::{Repository, output};
use crate::setup::is_installed;

/// Compiles each module for each WasmEdge that there is. A compiler that crashes on one module (that of 0.17.1 does, in
/// its LLVM, on modules that use SIMD much) keeps nobody from the others; which ones failed is told at the end.
pub(crate) fn compile(repository: &Repository, modules: &[String]) -> Result<()> {
    let mut failed = Vec::new();
    for wasmedge in wasmedges()? {
        let said = output(Command::new(&wasmedge).arg("--version"))?;
        let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let version = said.split_whitespace().find(is_number).context("wasmedge --version names no version")?;
        let folder = repository.path(FOLDER).join(format!("wasmedge-{version}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for module in modules {
            let from = repository.path(FOLDER).join(module).with_extension("wasm");
            let begin = Instant::now();
            match cached(&wasmedge, &said, &from) {
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

/// The module compiled, from the user's cache if it was compiled before.
fn cached(wasmedge: &Path, version: &str, module: &Path) -> Result<PathBuf> {
    let mut key = Sha256::new();
    key.update(version);
    key.update(fs::read(module).with_context(|| module.display().to_string())?);
    let hex: String = key.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let compiled = real::caches()?.join("wasmedge").join(format!("{hex}.so"));
    if compiled.is_file() {
        return Ok(compiled);
    }
    fs::create_dir_all(real::caches()?.join("wasmedge"))?;
    let part = compiled.with_extension("part.so");
    eprintln!("Compiling {} ahead of time", module.display());
    let status = Command::new(wasmedge).arg("compile").arg(module).arg(&part).stdout(Stdio::null()).status()?;
    ensure!(status.success() && part.is_file(), "its compiler ended with {status}");
    fs::rename(&part, &compiled)?;
    Ok(compiled)
}
