//! Starts an instance: instantiation, `init` and self-description.

use std::marker::PhantomData;

use guest_engine::Clock;
use tokio::time::timeout;
use wasmtime::component::InstancePre;

use super::{LiveInstance, World};
use crate::contract::types::{InitError, Properties};
use crate::engine::{Engine, Module};
use crate::error::{CallError, OpenError};
use crate::host::{self, HostState};
use crate::options::Options;
use crate::text::cut;

/// Starts instances of one component, all with the same options.
pub(super) struct Starter<W> {
    engine: Engine,
    pre: InstancePre<HostState>,
    pub(super) options: Options,
    properties: Properties,
    world: PhantomData<fn() -> W>,
}

impl<W: World> Starter<W> {
    pub(super) fn new(module: &Module, options: Options) -> Result<Self, OpenError> {
        let engine = module.engine.clone();
        let pre = engine.linker().instantiate_pre(&module.component).map_err(OpenError::Mismatch)?;
        let exposed = options.properties.exposed();
        let properties = exposed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self { engine, pre, options, properties, world: PhantomData })
    }

    /// Starts and initialises an instance; returns it with its description. Each step has the time limit of a call.
    pub(super) async fn start(&self) -> Result<(LiveInstance<W>, W::Description), OpenError> {
        let mut store = host::store(&self.engine, &self.options)?;
        let making = self.clock().run(self.pre.instantiate_async(&mut store));
        let instance = match timeout(self.options.limits.call, making).await {
            Ok(instance) => instance.map_err(OpenError::Start)?,
            Err(_) => return Err(OpenError::Init(self.timed_out("its start"))),
        };
        let world = W::bind(&mut store, &instance).map_err(OpenError::Mismatch)?;
        let init = world.init(&mut store, &self.properties);
        self.within("init", init).await?.map_err(|error| match error {
            InitError::Misconfigured(why) => OpenError::Misconfigured(cut(why)),
            InitError::Unavailable(why) => OpenError::Unavailable(cut(why)),
        })?;
        let description = self.within("describe", world.describe(&mut store)).await?;
        Ok((LiveInstance { store, world }, description))
    }

    async fn within<R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = wasmtime::Result<R>>,
    ) -> Result<R, OpenError> {
        match timeout(self.options.limits.call, self.clock().run(call)).await {
            Ok(answer) => answer.map_err(|trap| OpenError::Init(trap_error(&self.options.name, operation, &trap))),
            Err(_) => Err(OpenError::Init(self.timed_out(operation))),
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        self.engine.clock()
    }

    const fn timed_out(&self, operation: &'static str) -> CallError {
        CallError::TimedOut { operation, limit: self.options.limits.call }
    }
}

/// Converts a trap to the caller's error; logs its backtrace.
pub(super) fn trap_error(component: &str, operation: &'static str, trap: &wasmtime::Error) -> CallError {
    tracing::error!(%component, operation, "the component trapped: {trap:?}");
    CallError::Trapped { operation, reason: cut(trap.root_cause().to_string()) }
}
