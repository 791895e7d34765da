//! The instances of one service.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use inference::Graphs;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasm_engine::Output;
use wasmtime::{Store, StoreContextMut, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};

use crate::nn::Nn;
use crate::outbound::{Hooks, Outbound};
use crate::output::Printed;
use crate::state::{Imports, State};

/// How often the engine's clock turns.
const TICK: Duration = Duration::from_millis(10);

/// A folder of the host that a service may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is on the host.
    pub host: PathBuf,
    /// What the service calls it.
    pub guest: String,
    /// Whether the service may only read.
    pub read_only: bool,
}

/// How much a service may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// Time on the processor for one request, after which the instance is taken for one that loops for ever.
    pub busy: Duration,
    /// Requests at once, each with an instance of its own; more wait. Where it is not said, 64 fresh ones, or four a core of
    /// those that are used again.
    pub instances: Option<usize>,
}

impl Default for Limits {
    /// 1 GiB, 60 s.
    fn default() -> Self {
        Self { memory: 1 << 30, busy: Duration::from_secs(60), instances: None }
    }
}

/// What a service is given.
pub struct Options {
    /// Its arguments, the program's own name first.
    pub arguments: Vec<String>,
    /// Its environment, and its settings for `wasi:config`; nothing of the host's is added.
    pub environment: Vec<(String, String)>,
    /// The folders it may use.
    pub folders: Vec<Folder>,
    /// What it may use up.
    pub limits: Limits,
    /// How many requests an instance answers; where it is not said, what the component itself says, or one.
    pub requests: Option<u32>,
    /// The networks that it may ask through `wasi:nn`.
    pub graphs: Arc<Graphs>,
    /// What sends its requests.
    pub outbound: Arc<dyn Outbound>,
    /// Where its lines go.
    pub output: Arc<dyn Output>,
}

/// One instance between two requests.
pub(crate) struct Live<I: Imports> {
    pub(crate) store: Store<State<I>>,
    pub(crate) proxy: Proxy,
    answered: u32,
}

/// The instances that wait for a request, and the means to make more.
pub(crate) struct Instances<I: Imports> {
    service: ProxyPre<State<I>>,
    options: Options,
    config: Arc<WasiConfigVariables>,
    imports: Box<dyn Fn() -> I + Send + Sync>,
    requests: u32,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Live<I>>>,
}

/// Fresh instances at once.
const FRESH: usize = 64;

/// The interface by which a component says how many requests an instance answers: `wit/runtime/instance.wit`.
const INSTANCE: &str = "dapr:runtime/instance@0.1.0";

impl<I: Imports> Instances<I> {
    /// Asks the component how it wants to be used, if it says so; the instance that answered is the first.
    pub(crate) async fn new(
        service: ProxyPre<State<I>>,
        options: Options,
        imports: Box<dyn Fn() -> I + Send + Sync>,
    ) -> wasmtime::Result<Self> {
        let config = Arc::new(options.environment.iter().cloned().collect());
        let mut instances = Self {
            service,
            config,
            options,
            imports,
            requests: 1,
            permits: Arc::new(Semaphore::new(FRESH)),
            idle: Mutex::default(),
        };
        let component = instances.service.instance_pre().component();
        let says = component.get_export_index(None, INSTANCE);
        let asked = says.and_then(|instance| component.get_export_index(Some(&instance), "requests"));
        if let Some(requests) = asked {
            let mut store = instances.store();
            let instance = instances.service.instance_pre().instantiate_async(&mut store).await?;
            let requests = instance.get_typed_func::<(), (u32,)>(&mut store, requests)?;
            instances.requests = requests.call_async(&mut store, ()).await?.0.max(1);
            let proxy = Proxy::new(&mut store, &instance)?;
            store.data_mut().computed = Duration::ZERO;
            instances.idle = Mutex::new(vec![Live { store, proxy, answered: 0 }]);
        }
        instances.requests = instances.options.requests.unwrap_or(instances.requests);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let usual = if instances.requests > 1 { 4 * cores } else { FRESH };
        let most = instances.options.limits.instances.unwrap_or(usual);
        instances.permits = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(instances)
    }

    /// The right to one more instance; waits while there are too many.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.permits.clone().acquire_owned().await.ok()
    }

    /// An instance that waits, or a new one.
    pub(crate) async fn take(&self) -> wasmtime::Result<Live<I>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(live) => Ok(live),
            None => {
                let mut store = self.store();
                let proxy = self.service.instantiate_async(&mut store).await?;
                Ok(Live { store, proxy, answered: 0 })
            }
        }
    }

    /// The instance has answered a request without a trap.
    pub(crate) fn put_back(&self, mut live: Live<I>) {
        live.answered = live.answered.saturating_add(1);
        if live.answered < self.requests {
            live.store.data_mut().computed = Duration::ZERO;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(live);
        }
    }

    fn store(&self) -> Store<State<I>> {
        let Limits { memory, busy, .. } = self.options.limits;
        let state = State {
            wasi: wasi(&self.options),
            http: WasiHttpCtx::new(),
            table: <_>::default(),
            hooks: Hooks(self.options.outbound.clone()),
            limits: StoreLimitsBuilder::new().memory_size(memory).build(),
            config: self.config.clone(),
            nn: Nn::new(self.options.graphs.clone()),
            computed: Duration::ZERO,
            imports: (self.imports)(),
        };
        let mut store = Store::new(self.service.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut context: StoreContextMut<'_, State<I>>| {
            // The clock is only looked at while the instance computes, so its turns are the time that it has spent.
            let computed = &mut context.data_mut().computed;
            *computed = computed.saturating_add(TICK);
            if *computed > busy {
                wasmtime::bail!("the instance computed for {} s over one request", busy.as_secs());
            }
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

fn wasi(options: &Options) -> WasiCtx {
    let mut wasi = WasiCtxBuilder::new();
    let (stdout, stderr) = Printed::both(&options.output);
    wasi.args(&options.arguments).envs(&options.environment).stdout(stdout).stderr(stderr);
    for Folder { host, guest, read_only } in &options.folders {
        let permissions = if *read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        if let Err(error) = wasi.preopened_dir(host, guest, permissions) {
            tracing::warn!("the folder {} cannot be shared with the guest as {guest}: {error}", host.display());
        }
    }
    wasi.build()
}
