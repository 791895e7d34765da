//! One guest: a module, its options, and its run from start to end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use inference::{Graphs, Session};
use wasmtime::{Module, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::abi;
use crate::activity::Activity;
use crate::descriptors::DescriptorBudget;
use crate::engine::Engine;
use crate::error::{GuestError, Hung};
use crate::network::Network;
use crate::state::GuestState;
use guest_engine::{Account, InstanceMemory, LineBuffer, MemoryAccount, Output};

/// A directory of the host that a guest may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preopen {
    /// Path on the host.
    pub host: PathBuf,
    /// Path in the guest.
    pub guest: String,
    /// True if the guest is denied writing.
    pub read_only: bool,
}

/// Limits of a guest and of its application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// Files and sockets that the guests of one application have open at once, together.
    pub descriptors: usize,
    /// Processor time without sending or receiving, and without waiting for as long as it computes. A guest that
    /// exceeds it is taken to be in an endless loop.
    pub busy: Duration,
    /// Linear memory and tables of all instances of an application, in bytes.
    pub app_memory: usize,
    /// Connections that wait in the accept queue.
    pub queue: usize,
    /// Longest time that a connection waits in the queue.
    pub queue_timeout: Duration,
    /// Longest time until a response begins; `None` for no limit.
    pub request_timeout: Option<Duration>,
}

impl Default for Limits {
    /// 1 GiB, 4,096 descriptors, 60 s; 4 GiB for all instances, and 128 queued connections for 30 s each.
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            descriptors: 4096,
            busy: Duration::from_secs(60),
            app_memory: 4 << 30,
            queue: 128,
            queue_timeout: Duration::from_secs(30),
            request_timeout: None,
        }
    }
}

/// Options of one guest.
pub struct GuestOptions {
    /// Arguments, the program's own name first.
    pub arguments: Vec<String>,
    /// Environment variables; none of the host's are added.
    pub environment: Vec<(String, String)>,
    /// Directories that the guest may use.
    pub preopens: Vec<Preopen>,
    /// Limits of the guest.
    pub limits: Limits,
    /// Descriptor budget, shared with the other guests of the application.
    pub descriptors: Arc<DescriptorBudget>,
    /// Network access.
    pub network: Arc<dyn Network>,
    /// Models that the guest may run through `wasi-nn`.
    pub graphs: Arc<Graphs>,
    /// Destination of the guest's output lines.
    pub output: Arc<dyn Output>,
    /// Activity record, which the host reads.
    pub activity: Arc<Activity>,
    /// Account charged for processor time.
    pub account: Arc<Account>,
    /// Account charged for memory.
    pub memory: Arc<MemoryAccount>,
}

/// Runs `module` from start to end and returns its exit code. Dropping the future ends the guest.
///
/// # Errors
/// When the module cannot be started, or traps.
pub async fn run(engine: &Engine, module: &Module, options: GuestOptions) -> Result<i32, GuestError> {
    let (busy, account) = (options.limits.busy, options.account.clone());
    let mut store = Store::new(&engine.engine, state(options));
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context: StoreContextMut<'_, GuestState>| {
        if context.data_mut().meter.time_without_progress() > busy {
            return Err(Hung(busy.as_secs()).into());
        }
        context.data_mut().check_busy();
        Ok(UpdateDeadline::Yield(1))
    });
    let imports = abi::resolve(&engine.linker, &mut store, module).map_err(GuestError::UnknownImports)?;
    let (clock, module) = (engine.clock.clone(), module.clone());
    let guest = async move {
        let instance = wasmtime::Instance::new_async(&mut store, &module, &imports).await;
        let instance = instance.map_err(GuestError::Instantiate)?;
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start").map_err(GuestError::NoStart)?;
        match start.call_async(&mut store, ()).await {
            Ok(()) => Ok(0),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(I32Exit(code)) => Ok(*code),
                None => Err(GuestError::Trap(error)),
            },
        }
    };
    // The epoch clock makes the guest yield; tokio's own budget would only make ready sockets look unready.
    account.run(async move { clock.run(tokio::task::unconstrained(guest)).await }).await
}

fn state(options: GuestOptions) -> GuestState {
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&options.arguments).envs(&options.environment);
    for Preopen { host, guest, read_only } in &options.preopens {
        let permissions = if *read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        // WasmEdge continues without a missing directory, and so must programs that run on both.
        if let Err(error) = wasi.preopened_dir(host, guest, permissions) {
            tracing::warn!("cannot share directory {} with the guest as {guest}: {error}", host.display());
        }
    }
    let limits = InstanceMemory::new(options.memory, options.limits.memory);
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
