//! Programs, versions and paths of the real Dapr and WasmEdge that daprlet is compared with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use toolchains::WASMTIME;

use crate::repository::Repository;

/// Versions of WasmEdge, and the Debian releases with their packages.
pub(crate) const WASMEDGES: &[(&str, &str)] = &[("0.14.1", "trixie"), ("0.17.1", "forky")];

/// Directory of the module that builds `daprd`.
pub(crate) const DAPRD_MODULE: &str = "tools/daprd";

/// Returns the cache directory of a third-party program.
pub(crate) fn folder(program: &str, version: &str) -> Result<PathBuf> {
    Ok(toolchains::caches()?.join("tools").join(format!("{program}-{version}")))
}

/// Reads the version of Dapr from `tools/daprd`.
pub(crate) fn dapr_version(repository: &Repository) -> Result<String> {
    let file = repository.path(DAPRD_MODULE).join("go.mod");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let version = text.lines().find_map(|line| line.trim().strip_prefix("github.com/dapr/dapr v"));
    let version = version.and_then(|rest| rest.split_whitespace().next());
    version.map(str::to_owned).with_context(|| format!("{} requires no github.com/dapr/dapr", file.display()))
}

/// Returns the real `daprd`: the one that `DAPRD` names, else the one that setup built.
pub(crate) fn daprd(repository: &Repository) -> Result<PathBuf> {
    let own = folder("daprd", &dapr_version(repository)?)?.join("daprd");
    found("DAPRD", own, "--real")
}

/// Returns the program `wasmtime`: the one that `WASMTIME` names, else the one that setup built.
pub(crate) fn wasmtime() -> Result<PathBuf> {
    found("WASMTIME", wasmtime_folder()?.join("bin/wasmtime"), "--wasmtime")
}

/// Returns setup's directory for `wasmtime`. An earlier build, without `serve`, is in its parent.
pub(crate) fn wasmtime_folder() -> Result<PathBuf> {
    Ok(folder("wasmtime", WASMTIME)?.join("serving"))
}

/// Returns the real WasmEdges: the one that `WASMEDGE` names, else all that setup unpacked.
pub(crate) fn wasmedges() -> Result<Vec<PathBuf>> {
    if let Some(given) = env::var_os("WASMEDGE") {
        return Ok(vec![PathBuf::from(given)]);
    }
    WASMEDGES
        .iter()
        .map(|(version, _)| found("WASMEDGE", folder("wasmedge", version)?.join("wasmedge"), "--real"))
        .collect()
}

fn found(variable: &str, own: PathBuf, setup: &str) -> Result<PathBuf> {
    if let Some(given) = env::var_os(variable) {
        return Ok(PathBuf::from(given));
    }
    if Path::new(&own).is_file() {
        return Ok(own);
    }
    bail!("{} is missing; `cargo xtask setup {setup}` puts it there, or name another with {variable}", own.display())
}
