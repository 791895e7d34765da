//! Instances of one service.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use guest_engine::{Clock, InstanceMemory, MemoryAccount, task_time};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use wasmtime::component::{ComponentExportIndex, ResourceTable};
use wasmtime::{Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};

use crate::nn::Nn;
use crate::options::{Limits, Options};
use crate::outbound::Hooks;
use crate::state::{Imports, State};

/// Limit on an instance's resources.
///
/// They include open files and bodies, each of which may hold a descriptor of the process.
const MAX_RESOURCES: usize = 1024;

/// Instance between two requests.
pub(crate) struct Live<I: Imports> {
    pub(crate) store: Store<State<I>>,
    pub(crate) proxy: Proxy,
    handled: u32,
}

/// Idle instances of a service, and the means to create more.
pub(crate) struct Instances<I: Imports> {
    service: ProxyPre<State<I>>,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    config: Arc<WasiConfigVariables>,
    /// Memory account of all instances.
    memory: Arc<MemoryAccount>,
    imports: Box<dyn Fn() -> I + Send + Sync>,
    requests: OnceLock<u32>,
    permits: Arc<Semaphore>,
    /// Permits for queued requests.
    queue: Semaphore,
    idle: Mutex<Vec<Live<I>>>,
    /// Notified when an instance becomes idle, or creating one has failed.
    changed: Notify,
    /// Permit to create an instance: one at a time, however creating it ends.
    creating: Arc<Semaphore>,
}

/// Default limit on concurrent instances that handle one request each.
const DEFAULT_FRESH_INSTANCES: usize = 64;

/// Interface by which a component reports how many requests an instance handles: `wit/runtime/instance.wit`.
const INSTANCE_INTERFACE: &str = "dapr:runtime/instance@0.1.0";

impl<I: Imports> Instances<I> {
    /// Creates the instances of a service.
    ///
    /// Queries the component for the number of requests per instance, if it exports that; the queried instance becomes
    /// the first idle one.
    pub(crate) async fn new(
        service: ProxyPre<State<I>>,
        clock: Clock,
        options: Options,
        imports: Box<dyn Fn() -> I + Send + Sync>,
    ) -> wasmtime::Result<Arc<Self>> {
        let queue = options.limits.queue;
        let config = Arc::new(options.environment.iter().cloned().collect());
        let instances = Arc::new(Self {
            service,
            clock,
            config,
            memory: MemoryAccount::new(options.limits.app_memory),
            options,
            imports,
            requests: OnceLock::new(),
            permits: Arc::new(Semaphore::new(0)),
            queue: Semaphore::new(queue.min(Semaphore::MAX_PERMITS)),
            idle: Mutex::default(),
            changed: Notify::new(),
            creating: Arc::new(Semaphore::new(1)),
        });
        let mut preferred = 1;
        if instances.requests_export().is_some() {
            let (live, requests) = instances.clone().prepare().await?;
            instances.idle().push(live);
            preferred = requests;
        }
        let requests = *instances.requests.get_or_init(|| instances.options.requests.unwrap_or(preferred));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let default = if requests > 1 { 4 * cores } else { DEFAULT_FRESH_INSTANCES };
        let limit = instances.options.limits.instances.unwrap_or(default);
        instances.permits.add_permits(limit.clamp(1, Semaphore::MAX_PERMITS));
        Ok(instances)
    }

    /// Returns the number of requests that an instance handles.
    fn requests(&self) -> u32 {
        self.requests.get().copied().unwrap_or(1)
    }

    /// Acquires the permit for one more instance.
    ///
    /// Waits while there are too many; returns `None` if the queue is full or the wait times out.
    pub(crate) async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(turn) = self.permits.clone().try_acquire_owned() {
            return Some(turn);
        }
        let _place = self.queue.try_acquire().ok()?;
        let turn = self.permits.clone().acquire_owned();
        // The semaphore is never closed.
        tokio::time::timeout(self.options.limits.queue_timeout, turn).await.ok()?.ok()
    }

    /// Returns an instance for a request.
    ///
    /// Single-use instances are created on demand. Reused instances are taken from the idle ones, or else from
    /// whichever becomes available first: one that finishes its request, or a new one. A reusable instance may take
    /// time to prepare itself, and a small request should not pay for that.
    pub(crate) async fn take(self: &Arc<Self>) -> wasmtime::Result<Live<I>> {
        if let Some(live) = self.idle().pop() {
            return Ok(live);
        }
        if self.requests() == 1 {
            let mut store = self.store();
            let proxy = self.service.instantiate_async(&mut store).await?;
            return Ok(Live { store, proxy, handled: 0 });
        }
        let mut creating = None;
        loop {
            let changed = self.changed.notified();
            if let Some(live) = self.idle().pop() {
                return Ok(live);
            }
            creating = creating.or_else(|| self.create_one());
            let created = async {
                match &mut creating {
                    Some(creating) => creating.await,
                    // Another request is already creating one.
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                created = created => match created {
                    Ok(failed) => return Err(failed),
                    // The new instance is idle, unless another request has taken it.
                    Err(_) => creating = None,
                },
                () = changed => {}
            }
        }
    }

    /// Starts creating an idle instance, unless one is being created.
    ///
    /// The receiver gets the error if that fails.
    fn create_one(self: &Arc<Self>) -> Option<oneshot::Receiver<wasmtime::Error>> {
        let turn = self.creating.clone().try_acquire_owned().ok()?;
        let (failed, reason) = oneshot::channel();
        let instances = self.clone();
        tokio::spawn(async move {
            let created = instances.clone().prepare().await;
            drop(turn);
            match created {
                Ok((live, _)) => instances.add_idle(live),
                Err(error) => {
                    // The waiting request may have got another instance in the meantime.
                    let _ = failed.send(error);
                    instances.changed.notify_waiters();
                }
            }
        });
        Some(reason)
    }

    /// Returns an instance that has handled a request without a trap.
    pub(crate) fn put_back(&self, mut live: Live<I>) {
        live.handled = live.handled.saturating_add(1);
        if live.handled < self.requests() {
            live.store.data_mut().computed = Duration::ZERO;
            self.add_idle(live);
        }
    }

    /// Adds an instance to the idle ones.
    fn add_idle(&self, live: Live<I>) {
        self.idle().push(live);
        self.changed.notify_one();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Live<I>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the export by which the component reports how it wants to be used.
    fn requests_export(&self) -> Option<ComponentExportIndex> {
        let component = self.service.instance_pre().component();
        let instance = component.get_export_index(None, INSTANCE_INTERFACE)?;
        component.get_export_index(Some(&instance), "requests")
    }

    /// Creates an instance and lets it prepare itself before the first request, if the component supports that.
    ///
    /// Also returns the number of requests that it wants to handle.
    async fn prepare(self: Arc<Self>) -> wasmtime::Result<(Live<I>, u32)> {
        let (account, clock) = (self.options.account.clone(), self.clock.clone());
        let creating = async move {
            let mut store = self.store();
            let instance = self.service.instance_pre().instantiate_async(&mut store).await?;
            let mut requests = 1;
            if let Some(export) = self.requests_export() {
                let export = instance.get_typed_func::<(), (u32,)>(&mut store, export)?;
                requests = export.call_async(&mut store, ()).await?.0.max(1);
            }
            let proxy = Proxy::new(&mut store, &instance)?;
            store.data_mut().computed = Duration::ZERO;
            Ok((Live { store, proxy, handled: 0 }, requests))
        };
        // The instance yields by the engine's clock.
        account.run(async move { clock.run(tokio::task::unconstrained(creating)).await }).await
    }

    fn store(&self) -> Store<State<I>> {
        let Limits { memory, busy, .. } = self.options.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let state = State {
            wasi: self.options.wasi(),
            http: WasiHttpCtx::new(),
            table,
            hooks: Hooks(self.options.outbound.clone()),
            limits: InstanceMemory::new(self.memory.clone(), memory),
            config: self.config.clone(),
            nn: Nn::new(self.options.graphs.clone()),
            computed: Duration::ZERO,
            imports: (self.imports)(),
        };
        let mut store = Store::new(self.service.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut context: StoreContextMut<'_, State<I>>| {
            if task_time().saturating_add(context.data_mut().computed) > busy {
                wasmtime::bail!("the instance computed for more than {} s for one request", busy.as_secs());
            }
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}
