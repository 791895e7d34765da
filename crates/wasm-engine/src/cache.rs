//! Compiled modules and components on disk, so that a second start takes milliseconds.
//!
//! The cache holds native code that this process will run, so its folder must belong to this user alone: others
//! lose their access to it, and a folder of another user is not used at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::easier::{self, made_easier};

/// What can be compiled and kept: a core module or a component.
pub trait Compiled: Sized {
    /// Compiles, and keeps nothing.
    ///
    /// # Errors
    /// When `wasm` is not valid.
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    /// Compiles into what [`load`](Self::load) reads.
    ///
    /// # Errors
    /// When `wasm` is not valid.
    fn precompile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>>;

    /// Loads what [`precompile`](Self::precompile) gave.
    ///
    /// # Errors
    /// When the file was made for another engine.
    ///
    /// # Safety
    /// The file holds native code, which must not have been tampered with.
    #[expect(unsafe_code, reason = "wasmtime runs what is in the file; the cache keeps it in a private folder")]
    unsafe fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Self>;
}

#[expect(unsafe_code, reason = "the same obligation as wasmtime's own")]
impl Compiled for Module {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        Self::new(engine, made_easier(wasm))
    }

    fn precompile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_module(&made_easier(wasm))
    }

    unsafe fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize_file(engine, file) }
    }
}

#[expect(unsafe_code, reason = "the same obligation as wasmtime's own")]
impl Compiled for Component {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        Self::new(engine, made_easier(wasm))
    }

    fn precompile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_component(&made_easier(wasm))
    }

    unsafe fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize_file(engine, file) }
    }
}

/// A folder of compiled code, keyed by what it was compiled from and everything in the engine that shapes the code.
pub struct CompiledCache {
    folder: PathBuf,
}

impl CompiledCache {
    /// A cache in that folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Compiles `wasm` or loads what an earlier run compiled. A folder that cannot be used costs time and nothing else.
    ///
    /// # Errors
    /// When `wasm` is not valid.
    pub fn compile<T: Compiled>(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<T> {
        let path = match self.private_folder() {
            Ok(folder) => folder.join(file_name(engine, wasm)),
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "compiled modules are not kept");
                return T::compile(engine, wasm);
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
        let compiled = T::precompile(engine, wasm)?;
        if let Err(error) = store(&path, &compiled) {
            tracing::warn!(file = %path.display(), %error, "a compiled module is not kept");
            return T::compile(engine, wasm);
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
    key.0.update(easier::DONE);
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
fn load<T: Compiled>(engine: &Engine, path: &Path) -> wasmtime::Result<T> {
    // SAFETY: the file was written by `store` from what this engine compiled (its name says so), into a folder that
    // only this user can write to; wasmtime checks its own version and settings in the header.
    unsafe { T::load(engine, path) }
}

/// Writes a file that is either whole or absent, also after a power cut.
fn store(path: &Path, compiled: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(compiled)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The empty ones.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn modules_and_components_are_kept_and_what_is_damaged_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CompiledCache::new(folder.path().join("new"));
        let engine = Engine::default();
        cache.compile::<Module>(&engine, MODULE).unwrap();
        cache.compile::<Component>(&engine, COMPONENT).unwrap();
        let files: Vec<_> = fs::read_dir(folder.path().join("new")).unwrap().map(|it| it.unwrap().path()).collect();
        assert_eq!(files.len(), 2);
        for file in &files {
            fs::write(file, "damaged").unwrap();
        }
        cache.compile::<Module>(&engine, MODULE).unwrap();
        cache.compile::<Component>(&engine, COMPONENT).unwrap();
        assert!(files.iter().all(|file| fs::read(file).unwrap() != b"damaged"));
    }

    #[test]
    fn without_a_folder_it_still_compiles() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = CompiledCache::new(file.path().to_owned());
        cache.compile::<Module>(&Engine::default(), MODULE).unwrap();
        assert!(cache.compile::<Module>(&Engine::default(), b"nonsense").is_err());
    }
}
