//! The engine that all components of a process share.

use std::path::PathBuf;

use wasm_engine::{Clock, CompiledCache};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::ComponentError;
use crate::state::{self, Imports, State};

/// Instances at once, over all services of a process. Each reserves address space, and memory only as it is used.
const MAX_INSTANCES: u32 = 256;

/// What an instance's memory keeps when it is dropped, in bytes, so that the next one need not fault it in again: giving pages
/// back costs an interrupt to all cores that run the process, and more where a hypervisor has to deliver that. These are the
/// pages that were written to, wherever they are.
const KEPT_RESIDENT: usize = 1 << 20;

/// The same where the kernel cannot tell which pages these are: the first ones, all of which are written anew each time.
const KEPT_RESIDENT_BLINDLY: usize = 256 << 10;

/// Compiles and links components.
pub struct Engine<I: Imports> {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) linker: Linker<State<I>>,
    pub(crate) clock: Clock,
    cache: Option<CompiledCache>,
}

impl<I: Imports> Engine<I> {
    /// An engine that keeps compiled components in `cache`, where one is given. Instances of at most `memory` bytes may
    /// import WASI, outgoing HTTP, and what `link` adds.
    ///
    /// # Errors
    /// When wasmtime does not support this machine, or `link` adds what is there.
    pub fn new(
        cache: Option<PathBuf>,
        memory: usize,
        link: impl FnOnce(&mut Linker<State<I>>) -> wasmtime::Result<()>,
    ) -> Result<Self, ComponentError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // Image decoders and inference use more than the default half megabyte.
        config.max_wasm_stack(1 << 20).async_stack_size(2 << 20);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(memory)));
        let engine = wasmtime::Engine::new(&config).map_err(ComponentError::Engine)?;
        let mut linker = Linker::new(&engine);
        state::add_to_linker(&mut linker).and_then(|()| link(&mut linker)).map_err(ComponentError::Engine)?;
        let clock = Clock::start(&engine).map_err(ComponentError::Clock)?;
        Ok(Self { engine, linker, clock, cache: cache.map(CompiledCache::new) })
    }

    /// Compiles `wasm`, or takes it from the cache. Takes seconds for a large component: call it where blocking is allowed.
    ///
    /// # Errors
    /// When `wasm` is no component.
    pub fn compile(&self, wasm: &[u8]) -> Result<Component, ComponentError> {
        match &self.cache {
            Some(cache) => cache.compile(&self.engine, wasm),
            None => Component::new(&self.engine, wasm),
        }
        .map_err(ComponentError::Compile)
    }
}

/// Instances are made of slots that are there already: a fresh one for each request costs microseconds.
fn pool(memory: usize) -> PoolingAllocationConfig {
    let finds_pages = PoolingAllocationConfig::is_pagemap_scan_available();
    let kept = if finds_pages { KEPT_RESIDENT } else { KEPT_RESIDENT_BLINDLY };
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
