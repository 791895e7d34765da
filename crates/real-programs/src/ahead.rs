//! What WasmEdge compiles ahead of time. It belongs to one version of WasmEdge; WasmEdge itself calls it a shared library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

/// `module` compiled by the WasmEdge `program`: a file in the user's cache, made once for each content and version. `begin` is called if it has to be made now, which takes minutes for a large module.
///
/// # Errors
/// When the module cannot be read, the compiler fails, or the file cannot be written.
pub fn compile(program: &Path, module: &Path, begin: impl FnOnce()) -> Result<PathBuf> {
    let mut key = Sha256::new();
    // All of what it says: two builds of one version need not understand each other's.
    key.update(Command::new(program).arg("--version").output().with_context(|| program.display().to_string())?.stdout);
    key.update(fs::read(module).with_context(|| module.display().to_string())?);
    let hex: String = key.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let folder = crate::caches()?.join("wasmedge");
    let compiled = folder.join(format!("{hex}.so"));
    if compiled.is_file() {
        return Ok(compiled);
    }
    begin();
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let part = compiled.with_extension("part.so");
    let status = Command::new(program).arg("compile").arg(module).arg(&part).stdout(Stdio::null()).status()?;
    ensure!(status.success() && part.is_file(), "its compiler ended with {status}");
    fs::rename(&part, &compiled)?;
    Ok(compiled)
}
