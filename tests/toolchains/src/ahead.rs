//! Ahead-of-time compilation of modules by WasmEdge. The result, a shared library, fits only one version of WasmEdge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

/// Compiles `module` with the WasmEdge `program`, and returns the compiled file.
///
/// The file is in the user's cache, created once for each content and version. `begin` is called before a compilation,
/// which takes minutes for a large module.
///
/// # Errors
/// If the module cannot be read, the compiler fails, or the file cannot be written.
pub fn compile(program: &Path, module: &Path, begin: impl FnOnce()) -> Result<PathBuf> {
    let mut key = Sha256::new();
    // The complete version output: two builds of one version may be incompatible.
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
