//! The engine shared by all components of a process, and the modules that it loads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use guest_engine::{Clock, CompiledCache, Kind};
use wasmtime::Config;
use wasmtime::component::{Component, Linker};

use crate::digest::Digest;
use crate::error::LoadError;
use crate::host::{self, HostState};

/// Compiles and links components. Clones share the engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    engine: wasmtime::Engine,
    linker: Linker<HostState>,
    clock: Clock,
    cache: Option<CompiledCache>,
}

/// A compiled component, which can be opened any number of times.
#[derive(Clone)]
pub struct Module {
    pub(crate) engine: Engine,
    pub(crate) component: Component,
    digest: Digest,
}

/// A world of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// A state store.
    StateStore,
    /// A secret store.
    SecretStore,
    /// An output binding.
    OutputBinding,
}

impl World {
    fn exporting(interface: &str) -> Option<Self> {
        match interface.split_once('@').map_or(interface, |(name, _)| name) {
            "dapr:components/state" => Some(Self::StateStore),
            "dapr:components/secrets" => Some(Self::SecretStore),
            "dapr:components/binding" => Some(Self::OutputBinding),
            _ => None,
        }
    }
}

impl Engine {
    /// Creates an engine that caches compiled components in `cache`, if given.
    ///
    /// # Errors
    /// When wasmtime does not support this machine.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = wasmtime::Engine::new(&config).map_err(LoadError::Engine)?;
        let linker = host::linker(&engine).map_err(LoadError::Engine)?;
        let clock = Clock::start(&engine).map_err(LoadError::Clock)?;
        Ok(Self(Arc::new(Inner { engine, linker, clock, cache: cache.map(CompiledCache::new) })))
    }

    /// Reads, checks and compiles a file, or loads it from the cache. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// When the file is missing, differs from `expected`, or is not a component.
    pub async fn load(&self, path: impl AsRef<Path>, expected: Option<Digest>) -> Result<Module, LoadError> {
        let path = path.as_ref();
        let read = |source| LoadError::Read { path: path.to_owned(), source };
        let bytes = tokio::fs::read(path).await.map_err(read)?;
        let engine = self.clone();
        let compiled = tokio::task::spawn_blocking(move || engine.compile(&bytes, expected)).await;
        compiled.map_err(|gone| read(std::io::Error::other(gone)))?
    }

    /// Checks and compiles bytes, or loads them from the cache.
    ///
    /// Takes long for a large component: call it where blocking is allowed.
    ///
    /// # Errors
    /// When they differ from `expected`, or are not a component.
    pub fn compile(&self, bytes: &[u8], expected: Option<Digest>) -> Result<Module, LoadError> {
        let digest = Digest::new(bytes);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(LoadError::Digest { expected, found: digest });
        }
        match guest_engine::kind(bytes) {
            Some(Kind::Component) => {}
            Some(Kind::Module) => return Err(LoadError::CoreModule),
            None => return Err(LoadError::NotWasm),
        }
        let Inner { engine, cache, .. } = &*self.0;
        let component = match cache {
            Some(cache) => cache.compile(engine, bytes),
            None => Component::new(engine, bytes),
        };
        Ok(Module { engine: self.clone(), component: component.map_err(LoadError::Compile)?, digest })
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.engine
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn linker(&self) -> &Linker<HostState> {
        &self.0.linker
    }
}

impl Module {
    /// Returns the world of the component, of any version. `None` if it belongs to no world of the contract.
    #[must_use]
    pub fn world(&self) -> Option<World> {
        let type_ = self.component.component_type();
        let exports = type_.exports(self.engine.wasmtime());
        exports.into_iter().find_map(|(name, _)| World::exporting(name))
    }

    /// Digest of the component's file.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}
