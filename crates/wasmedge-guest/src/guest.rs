//! One guest: a module, what it is given, and its run from start to end.

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
use wasm_engine::{Account, InstanceMemory, LineBuffer, MemoryAccount, Output};

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
    /// Processor time in which the guest neither sends nor receives anything nor waits as long as it computes, after which it
    /// is taken for one that loops for ever.
    pub busy: Duration,
    /// Linear memory and tables of all instances of an application, in bytes.
    pub app_memory: usize,
    /// Connections that wait for an instance.
    pub queue: usize,
    /// The longest time that one of them waits.
    pub queue_timeout: Duration,
    /// The longest time until a response begins; without it there is no limit.
    pub request_timeout: Option<Duration>,
}

impl Default for Limits {
    /// 1 GiB, 4,096 descriptors, 60 s; for all instances 4 GiB, and 128 connections that wait, each for 30 s.
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
    /// Whose processor time it uses.
    pub account: Arc<Account>,
    /// Whose memory it takes.
    pub memory: Arc<MemoryAccount>,
}

/// Runs `module` from start to end and gives its exit code. Dropping the future ends the guest.
///
/// # Errors
/// When the module cannot be started, or traps.
pub async fn run(engine: &Engine, module: &Module, options: GuestOptions) -> Result<i32, GuestError> {
    let (busy, account) = (options.limits.busy, options.account.clone());
    let mut store = Store::new(&engine.engine, state(options));
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context: StoreContextMut<'_, GuestState>| {
        if context.data_mut().meter.fruitless() > busy {
            return Err(Hung(busy.as_secs()).into());
        }
        context.data_mut().computes();
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
    // The guest takes turns by the engine's clock; tokio's own budget would only make ready sockets look unready.
    account.run(async move { clock.during(tokio::task::unconstrained(guest)).await }).await
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
