//! Engine shared by all components of a process.

use std::path::PathBuf;

use guest_engine::{Clock, CompiledCache};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::ComponentError;
use crate::state::{self, Imports, State};

/// Limit on concurrent instances of all services of a process. Each reserves address space; memory is used on demand.
const MAX_INSTANCES: u32 = 256;

/// Memory kept resident when an instance is dropped, in bytes. The next one need not fault it in again.
///
/// Returning pages costs an interrupt on all cores that run the process, and more under a hypervisor. These are the
/// pages that were written to, wherever they are.
const KEPT_RESIDENT: usize = 1 << 20;

/// Same, if the kernel cannot report the written pages: the first pages, which are rewritten each time.
const KEPT_RESIDENT_WITHOUT_PAGEMAP: usize = 256 << 10;

/// Compiler and linker of components.
pub struct Engine<I: Imports> {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) linker: Linker<State<I>>,
    pub(crate) clock: Clock,
    cache: Option<CompiledCache>,
}

impl<I: Imports> Engine<I> {
    /// Creates an engine that caches compiled components in `cache`, if given.
    ///
    /// Instances of at most `memory` bytes may import WASI, outgoing HTTP, and the imports that `link` adds.
    ///
    /// # Errors
    /// When wasmtime does not support this machine, or `link` adds an existing import.
    pub fn new(
        cache: Option<PathBuf>,
        memory: usize,
        link: impl FnOnce(&mut Linker<State<I>>) -> wasmtime::Result<()>,
    ) -> Result<Self, ComponentError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // Image decoders and inference need more than the default half megabyte.
        config.max_wasm_stack(1 << 20).async_stack_size(2 << 20);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(memory)));
        let engine = wasmtime::Engine::new(&config).map_err(ComponentError::Engine)?;
        let mut linker = Linker::new(&engine);
        state::add_to_linker(&mut linker).and_then(|()| link(&mut linker)).map_err(ComponentError::Engine)?;
        let clock = Clock::start(&engine).map_err(ComponentError::Clock)?;
        Ok(Self { engine, linker, clock, cache: cache.map(CompiledCache::new) })
    }

    /// Compiles `wasm`, or loads it from the cache.
    ///
    /// Takes seconds for a large component, so call it where blocking is allowed.
    ///
    /// # Errors
    /// When `wasm` is not a valid component.
    pub fn compile(&self, wasm: &[u8]) -> Result<Component, ComponentError> {
        match &self.cache {
            Some(cache) => cache.compile(&self.engine, wasm),
            None => Component::new(&self.engine, wasm),
        }
        .map_err(ComponentError::Compile)
    }
}

/// Configures pooled allocation, with which a fresh instance per request costs microseconds.
fn pool(memory: usize) -> PoolingAllocationConfig {
    let finds_pages = PoolingAllocationConfig::is_pagemap_scan_available();
    let kept = if finds_pages { KEPT_RESIDENT } else { KEPT_RESIDENT_WITHOUT_PAGEMAP };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MAX_INSTANCES)
        .total_core_instances(MAX_INSTANCES * 8)
        .total_memories(MAX_INSTANCES)
        .total_tables(MAX_INSTANCES * 4)
        .total_stacks(MAX_INSTANCES)
        .table_elements(100_000)
        .max_memory_size(memory)
        .linear_memory_keep_resident(kept)
        .table_keep_resident(kept)
        .pagemap_scan(Enabled::Auto);
    pool
}
