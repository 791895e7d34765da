//! The engine that all guests of a process share: compiler, compilation cache and epoch clock.

use std::path::PathBuf;

use guest_engine::{Clock, CompiledCache};
use wasmtime::{Config, Linker, Module};

use crate::abi;
use crate::error::GuestError;
use crate::state::GuestState;

/// Compiles and links guests.
pub struct Engine {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) linker: Linker<GuestState>,
    pub(crate) clock: Clock,
    cache: Option<CompiledCache>,
}

impl Engine {
    /// Creates an engine that keeps compiled modules in `cache`, if given.
    ///
    /// # Errors
    /// When wasmtime does not support this machine.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, GuestError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // Services recurse little, but image decoders and inference use more than the default half megabyte.
        config.max_wasm_stack(1 << 20).async_stack_size(2 << 20);
        let engine = wasmtime::Engine::new(&config).map_err(GuestError::Engine)?;
        let mut linker = Linker::new(&engine);
        abi::add_to_linker(&mut linker).map_err(GuestError::Engine)?;
        let clock = Clock::start(&engine).map_err(GuestError::Clock)?;
        Ok(Self { engine, linker, clock, cache: cache.map(CompiledCache::new) })
    }

    /// Compiles `wasm`, or loads it from the cache.
    ///
    /// Takes seconds for a large module: call it where blocking is allowed.
    ///
    /// # Errors
    /// When `wasm` is not a WebAssembly module.
    pub fn compile(&self, wasm: &[u8]) -> Result<Module, GuestError> {
        if wasm.starts_with(b"\x7fELF") {
            return Err(GuestError::SharedObject);
        }
        if guest_engine::kind(wasm).is_none() {
            return Err(GuestError::NotWasm);
        }
        match &self.cache {
            Some(cache) => cache.compile(&self.engine, wasm),
            None => Module::new(&self.engine, wasm),
        }
        .map_err(GuestError::Compile)
    }
}
