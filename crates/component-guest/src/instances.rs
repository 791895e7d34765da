//! The instances of one service.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use wasm_engine::Clock;
use wasmtime::component::{ComponentExportIndex, ResourceTable};
use wasmtime::{Store, StoreContextMut, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};

use crate::nn::Nn;
use crate::options::{Limits, Options};
use crate::outbound::Hooks;
use crate::state::{Imports, State};

/// How often the engine's clock turns.
const TICK: Duration = Duration::from_millis(10);

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
    options: Options,
    config: Arc<WasiConfigVariables>,
    imports: Box<dyn Fn() -> I + Send + Sync>,
    requests: u32,
    permits: Arc<Semaphore>,
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
    ) -> wasmtime::Result<Self> {
        let config = Arc::new(options.environment.iter().cloned().collect());
        let mut instances = Self {
            service,
            clock,
            config,
            options,
            imports,
            requests: 1,
            permits: Arc::new(Semaphore::new(FRESH)),
            idle: Mutex::default(),
            changed: Notify::new(),
            making: Arc::new(Semaphore::new(1)),
        };
        if instances.question().is_some() {
            let (live, requests) = instances.ready().await?;
            instances.idle = Mutex::new(vec![live]);
            instances.requests = requests;
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

    /// A new instance; or, where they are used again, one that waits, and else whichever comes first: one that has answered,
    /// or one more. An instance that is to be used again may take its time to prepare itself, and a small request should not
    /// pay for that.
    pub(crate) async fn take(self: &Arc<Self>) -> wasmtime::Result<Live<I>> {
        if let Some(live) = self.idle().pop() {
            return Ok(live);
        }
        if self.requests == 1 {
            let mut store = self.store();
            let proxy = self.clock.during(self.service.instantiate_async(&mut store)).await?;
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
            let made = instances.ready().await;
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
        if live.answered < self.requests {
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
    async fn ready(&self) -> wasmtime::Result<(Live<I>, u32)> {
        let mut store = self.store();
        let instance = self.clock.during(self.service.instance_pre().instantiate_async(&mut store)).await?;
        let mut requests = 1;
        if let Some(question) = self.question() {
            let question = instance.get_typed_func::<(), (u32,)>(&mut store, question)?;
            // It takes turns by the engine's clock.
            let asked = tokio::task::unconstrained(question.call_async(&mut store, ()));
            requests = self.clock.during(asked).await?.0.max(1);
        }
        let proxy = Proxy::new(&mut store, &instance)?;
        store.data_mut().computed = Duration::ZERO;
        Ok((Live { store, proxy, answered: 0 }, requests))
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
