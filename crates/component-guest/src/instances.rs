//! The instances of one service.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use wasm_engine::{Clock, InstanceMemory, MemoryAccount, task_time};
use wasmtime::component::{ComponentExportIndex, ResourceTable};
use wasmtime::{Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};

use crate::nn::Nn;
use crate::options::{Limits, Options};
use crate::outbound::Hooks;
use crate::state::{Imports, State};

/// Resources of one instance, open files and bodies among them: each may hold a descriptor of the process.
const MAX_RESOURCES: usize = 1024;

/// One instance between two requests.
pub(crate) struct Live<I: Imports> {
    pub(crate) store: Store<State<I>>,
    pub(crate) proxy: Proxy,
    answered: u32,
}

/// The instances that wait for a request, and the means to make more.
pub(crate) struct Instances<I: Imports> {
    service: ProxyPre<State<I>>,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    config: Arc<WasiConfigVariables>,
    /// The memory of all of them.
    memory: Arc<MemoryAccount>,
    imports: Box<dyn Fn() -> I + Send + Sync>,
    requests: OnceLock<u32>,
    permits: Arc<Semaphore>,
    /// Places for requests that wait.
    queue: Semaphore,
    idle: Mutex<Vec<Live<I>>>,
    /// One more waits, or the one that was being made has failed.
    changed: Notify,
    /// The right to make one ready: one after the other, however the making of one ends.
    making: Arc<Semaphore>,
}

/// Fresh instances at once.
const FRESH: usize = 64;

/// The interface by which a component says how many requests an instance answers: `wit/runtime/instance.wit`.
const INSTANCE: &str = "dapr:runtime/instance@0.1.0";

impl<I: Imports> Instances<I> {
    /// Asks the component how it wants to be used, if it says so; the instance that answered is the first.
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
            making: Arc::new(Semaphore::new(1)),
        });
        let mut wanted = 1;
        if instances.question().is_some() {
            let (live, requests) = instances.clone().ready().await?;
            instances.idle().push(live);
            wanted = requests;
        }
        let requests = *instances.requests.get_or_init(|| instances.options.requests.unwrap_or(wanted));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let usual = if requests > 1 { 4 * cores } else { FRESH };
        let most = instances.options.limits.instances.unwrap_or(usual);
        instances.permits.add_permits(most.clamp(1, Semaphore::MAX_PERMITS));
        Ok(instances)
    }

    /// Requests that an instance answers.
    fn requests(&self) -> u32 {
        self.requests.get().copied().unwrap_or(1)
    }

    /// The right to one more instance. Waits while there are too many; `None` where too many wait already, or it takes too long.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(turn) = self.permits.clone().try_acquire_owned() {
            return Some(turn);
        }
        let _place = self.queue.try_acquire().ok()?;
        let turn = self.permits.clone().acquire_owned();
        // The semaphore is never closed.
        tokio::time::timeout(self.options.limits.queue_timeout, turn).await.ok()?.ok()
    }

    /// A new instance; or, where they are used again, one that waits, and else whichever comes first: one that has answered,
    /// or one more. An instance that is to be used again may take its time to prepare itself, and a small request should not
    /// pay for that.
    pub(crate) async fn take(self: &Arc<Self>) -> wasmtime::Result<Live<I>> {
        if let Some(live) = self.idle().pop() {
            return Ok(live);
        }
        if self.requests() == 1 {
            let mut store = self.store();
            let proxy = self.service.instantiate_async(&mut store).await?;
            return Ok(Live { store, proxy, answered: 0 });
        }
        let mut making = None;
        loop {
            let changed = self.changed.notified();
            if let Some(live) = self.idle().pop() {
                return Ok(live);
            }
            making = making.or_else(|| self.make_one());
            let made = async {
                match &mut making {
                    Some(making) => making.await,
                    // Somebody else makes one.
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                made = made => match made {
                    Ok(failed) => return Err(failed),
                    // It waits, if nobody has taken it meanwhile.
                    Err(_) => making = None,
                },
                () = changed => {}
            }
        }
    }

    /// Makes one more that waits, if none is being made; gives the reason where that fails.
    fn make_one(self: &Arc<Self>) -> Option<oneshot::Receiver<wasmtime::Error>> {
        let turn = self.making.clone().try_acquire_owned().ok()?;
        let (failed, reason) = oneshot::channel();
        let instances = self.clone();
        tokio::spawn(async move {
            let made = instances.clone().ready().await;
            drop(turn);
            match made {
                Ok((live, _)) => instances.wait(live),
                Err(error) => {
                    // Whoever wanted it may have got another one meanwhile.
                    let _ = failed.send(error);
                    instances.changed.notify_waiters();
                }
            }
        });
        Some(reason)
    }

    /// The instance has answered a request without a trap.
    pub(crate) fn put_back(&self, mut live: Live<I>) {
        live.answered = live.answered.saturating_add(1);
        if live.answered < self.requests() {
            live.store.data_mut().computed = Duration::ZERO;
            self.wait(live);
        }
    }

    /// The instance waits for a request.
    fn wait(&self, live: Live<I>) {
        self.idle().push(live);
        self.changed.notify_one();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Live<I>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function by which the component says how it wants to be used.
    fn question(&self) -> Option<ComponentExportIndex> {
        let component = self.service.instance_pre().component();
        let instance = component.get_export_index(None, INSTANCE)?;
        component.get_export_index(Some(&instance), "requests")
    }

    /// A new instance that has prepared itself, if the component lets it do so before the first request; and how many requests
    /// it wants to answer.
    async fn ready(self: Arc<Self>) -> wasmtime::Result<(Live<I>, u32)> {
        let (account, clock) = (self.options.account.clone(), self.clock.clone());
        let making = async move {
            let mut store = self.store();
            let instance = self.service.instance_pre().instantiate_async(&mut store).await?;
            let mut requests = 1;
            if let Some(question) = self.question() {
                let question = instance.get_typed_func::<(), (u32,)>(&mut store, question)?;
                requests = question.call_async(&mut store, ()).await?.0.max(1);
            }
            let proxy = Proxy::new(&mut store, &instance)?;
            store.data_mut().computed = Duration::ZERO;
            Ok((Live { store, proxy, answered: 0 }, requests))
        };
        // It takes turns by the engine's clock.
        account.run(async move { clock.during(tokio::task::unconstrained(making)).await }).await
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
                wasmtime::bail!("the instance computed for {} s over one request", busy.as_secs());
            }
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}
