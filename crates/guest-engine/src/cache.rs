//! A cache of compiled modules and components on disk; a second start takes milliseconds.
//!
//! The cache holds native code that this process will run, so its directory must belong to this user alone: others lose
//! their access to it, and a directory of another user is not used at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// Compiled code that can be cached: a core module or a component.
pub trait Compiled: Sized {
    /// Compiles without caching.
    ///
    /// # Errors
    /// When `wasm` is not valid.
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    /// Compiles into the format of [`load`](Self::load).
    ///
    /// # Errors
    /// When `wasm` is not valid.
    fn precompile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>>;

    /// Loads the output of [`precompile`](Self::precompile).
    ///
    /// # Errors
    /// When the file was compiled for another engine.
    ///
    /// # Safety
    /// The file contains native code, which must not have been tampered with.
    #[expect(unsafe_code, reason = "wasmtime runs the file's code; the cache keeps it in a private directory")]
    unsafe fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Self>;
}

#[expect(unsafe_code, reason = "the same obligation as wasmtime's own")]
impl Compiled for Module {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        Self::new(engine, wasm)
    }

    fn precompile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_module(wasm)
    }

    unsafe fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize_file(engine, file) }
    }
}

#[expect(unsafe_code, reason = "the same obligation as wasmtime's own")]
impl Compiled for Component {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        Self::new(engine, wasm)
    }

    fn precompile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
        engine.precompile_component(wasm)
    }

    unsafe fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize_file(engine, file) }
    }
}

/// A directory of compiled code, keyed by the source and all engine settings that affect the code.
pub struct CompiledCache {
    folder: PathBuf,
}

impl CompiledCache {
    /// Creates a cache in `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Compiles `wasm`, or loads the code of an earlier run.
    ///
    /// An unusable directory costs time and nothing else.
    ///
    /// # Errors
    /// When `wasm` is not valid.
    pub fn compile<T: Compiled>(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<T> {
        let path = match self.private_folder() {
            Ok(folder) => folder.join(file_name(engine, wasm)),
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "cannot use the compilation cache");
                return T::compile(engine, wasm);
            }
        };
        if path.exists() {
            match load(engine, &path) {
                Ok(module) => return Ok(module),
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "replacing an unusable file of the compilation cache")
                }
            }
        }
        let compiled = T::precompile(engine, wasm)?;
        if let Err(error) = store(&path, &compiled) {
            tracing::warn!(file = %path.display(), %error, "cannot write to the compilation cache");
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
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the directory belongs to another user"));
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

/// Feeds the engine's hash input into a digest that is the same in every process.
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
    reason = "wasmtime trusts the file; the directory is private to this user and files are written atomically"
)]
fn load<T: Compiled>(engine: &Engine, path: &Path) -> wasmtime::Result<T> {
    // SAFETY: the file was written by `store` from this engine's output (its name says so), into a directory that only
    // this user can write to; wasmtime checks its own version and settings in the header.
    unsafe { T::load(engine, path) }
}

/// Writes a file atomically, also across a power cut.
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

    /// The empty binaries.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn modules_and_components_are_cached_and_damage_replaced() {
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
    fn cached_code_is_that_of_the_unmodified_module() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        // A small loop and a broadcasting load, which an optimizer would rewrite.
        let wasm = wat::parse_str(
            "(module (memory 1) (func (export \"f\") (param i32) (result v128)
                (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (v128.load32_splat (local.get 0))))",
        );
        let wasm = wasm.unwrap();
        CompiledCache::new(folder.path().to_owned()).compile::<Module>(&engine, &wasm).unwrap();
        let cached = fs::read(folder.path().join(file_name(&engine, &wasm))).unwrap();
        assert!(cached == engine.precompile_module(&wasm).unwrap());
    }

    #[test]
    fn compiles_without_a_usable_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = CompiledCache::new(file.path().to_owned());
        cache.compile::<Module>(&Engine::default(), MODULE).unwrap();
        assert!(cache.compile::<Module>(&Engine::default(), b"nonsense").is_err());
    }
}
