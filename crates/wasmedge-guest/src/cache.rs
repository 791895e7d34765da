//! Compiled modules on disk, so that a second start takes milliseconds.
//!
//! The cache holds native code that this process will run, so its folder must belong to this user alone: others
//! lose their access to it, and a folder of another user is not used at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::{Engine, Module};

/// A folder of compiled modules, keyed by the module's content and everything in the engine that shapes the code.
pub(crate) struct ModuleCache {
    folder: PathBuf,
}

impl ModuleCache {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Compiles `wasm` or loads what an earlier run compiled.
    pub(crate) fn compile(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Module> {
        let path = match self.private_folder() {
            Ok(folder) => folder.join(file_name(engine, wasm)),
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "compiled modules are not kept");
                return Module::new(engine, wasm);
            }
        };
        if path.exists() {
            match load(engine, &path) {
                Ok(module) => return Ok(module),
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "a cached module is unusable and replaced")
                }
            }
        }
        let compiled = engine.precompile_module(wasm)?;
        if let Err(error) = store(&path, &compiled) {
            tracing::warn!(file = %path.display(), %error, "a compiled module is not kept");
            return Module::new(engine, wasm);
        }
        load(engine, &path)
    }

    fn private_folder(&self) -> io::Result<&Path> {
        fs::create_dir_all(&self.folder)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
            let found = fs::metadata(&self.folder)?;
            if found.uid() != rustix::process::geteuid().as_raw() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder belongs to another user"));
            }
            if found.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))?;
            }
        }
        Ok(&self.folder)
    }
}

fn file_name(engine: &Engine, wasm: &[u8]) -> String {
    let mut key = KeyHasher(Sha256::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut key);
    key.0.update(wasm);
    let digest = key.0.finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.cwasm")
}

/// Feeds what the engine hashes into a digest that means the same in every process.
struct KeyHasher(Sha256);

impl std::hash::Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[expect(
    unsafe_code,
    reason = "wasmtime trusts the file; the folder is this user's alone and files appear in it whole"
)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Module> {
    // SAFETY: the file was written by `store` from what this engine compiled (its name says so), into a folder that
    // only this user can write to; wasmtime checks its own version and settings in the header.
    unsafe { Module::deserialize_file(engine, path) }
}

/// Writes a file that is either whole or absent, also after a power cut.
fn store(path: &Path, compiled: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(compiled)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}
