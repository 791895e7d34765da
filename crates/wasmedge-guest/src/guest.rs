//! One guest: a module, what it is given, and its run from start to end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use inference::{Graphs, Session};
use wasmtime::{Module, Store, StoreContextMut, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::abi;
use crate::activity::Activity;
use crate::descriptors::DescriptorBudget;
use crate::engine::Engine;
use crate::error::GuestError;
use crate::network::Network;
use crate::state::GuestState;
use wasm_engine::{LineBuffer, Output};

/// A folder of the host that a guest may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preopen {
    /// Where it is on the host.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: String,
    /// Whether the guest may only read.
    pub read_only: bool,
}

/// How much a guest may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// Files and sockets that the guests of one application have open at once, together.
    pub descriptors: usize,
    /// Time on the processor without waiting for anything, after which the guest is taken for one that loops for ever.
    pub busy: Duration,
}

impl Default for Limits {
    /// 1 GiB, 4,096 descriptors, 60 s.
    fn default() -> Self {
        Self { memory: 1 << 30, descriptors: 4096, busy: Duration::from_secs(60) }
    }
}

/// What a guest is given.
pub struct GuestOptions {
    /// Its arguments, the program's own name first.
    pub arguments: Vec<String>,
    /// Its environment; nothing of the host's is added.
    pub environment: Vec<(String, String)>,
    /// The folders it may use.
    pub preopens: Vec<Preopen>,
    /// What it may use up.
    pub limits: Limits,
    /// What it may have open, together with the other guests of its application.
    pub descriptors: Arc<DescriptorBudget>,
    /// What it may reach.
    pub network: Arc<dyn Network>,
    /// The networks that it may ask through `wasi-nn`.
    pub graphs: Arc<Graphs>,
    /// Where its lines go.
    pub output: Arc<dyn Output>,
    /// Where others see what it does.
    pub activity: Arc<Activity>,
}

/// Runs `module` from start to end and gives its exit code. Dropping the future ends the guest.
///
/// # Errors
/// When the module cannot be started, or traps.
pub async fn run(engine: &Engine, module: &Module, options: GuestOptions) -> Result<i32, GuestError> {
    let busy = options.limits.busy;
    let mut store = Store::new(&engine.engine, state(options));
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context: StoreContextMut<'_, GuestState>| {
        if context.data().activity.computing() > busy {
            wasmtime::bail!("the guest computed for {} s without waiting for anything", busy.as_secs());
        }
        context.data_mut().computes();
        Ok(UpdateDeadline::Yield(1))
    });
    let imports = abi::resolve(&engine.linker, &mut store, module).map_err(GuestError::UnknownImports)?;
    let instance = engine.clock.during(wasmtime::Instance::new_async(&mut store, module, &imports)).await;
    let instance = instance.map_err(GuestError::Instantiate)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").map_err(GuestError::NoStart)?;
    // The guest takes turns by the engine's clock; tokio's own budget would only make ready sockets look unready.
    let running = tokio::task::unconstrained(start.call_async(&mut store, ()));
    match engine.clock.during(running).await {
        Ok(()) => Ok(0),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => Ok(*code),
            None => Err(GuestError::Trap(error)),
        },
    }
}

fn state(options: GuestOptions) -> GuestState {
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&options.arguments).envs(&options.environment);
    for Preopen { host, guest, read_only } in &options.preopens {
        let permissions = if *read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        // WasmEdge goes on without a folder that is not there, and so must programs that run on both.
        if let Err(error) = wasi.preopened_dir(host, guest, permissions) {
            tracing::warn!("the folder {} cannot be shared with the guest as {guest}: {error}", host.display());
        }
    }
    let limits = StoreLimitsBuilder::new().memory_size(options.limits.memory).build();
    GuestState::new(
        wasi.build_p1(),
        options.descriptors,
        options.network,
        LineBuffer::new(options.output),
        Session::new(options.graphs),
        limits,
        options.activity,
    )
}
