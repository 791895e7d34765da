//! Starting an instance: instantiation, `init`, and the question what it is.

use std::marker::PhantomData;

use tokio::time::timeout;
use wasm_engine::Clock;
use wasmtime::component::InstancePre;

use super::{Live, World};
use crate::contract::types::{InitError, Properties};
use crate::engine::{Engine, Module};
use crate::error::{CallError, OpenError};
use crate::host::{self, HostState};
use crate::options::Options;
use crate::text::cut;

/// Starts instances of one component, all alike.
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

    /// A new instance that has been initialised, and what it says it is. Each step may take as long as a call.
    pub(super) async fn start(&self) -> Result<(Live<W>, W::Description), OpenError> {
        let mut store = host::store(&self.engine, &self.options)?;
        let making = self.clock().during(self.pre.instantiate_async(&mut store));
        let instance = match timeout(self.options.limits.call, making).await {
            Ok(instance) => instance.map_err(OpenError::Start)?,
            Err(_) => return Err(OpenError::Init(self.timed_out("its start"))),
        };
        let world = W::bind(&mut store, &instance).map_err(OpenError::Mismatch)?;
        let init = world.init(&mut store, &self.properties);
        self.within("init", init).await?.map_err(|refused| match refused {
            InitError::Misconfigured(why) => OpenError::Misconfigured(cut(why)),
            InitError::Unavailable(why) => OpenError::Unavailable(cut(why)),
        })?;
        let description = self.within("describe", world.describe(&mut store)).await?;
        Ok((Live { store, world }, description))
    }

    async fn within<R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = wasmtime::Result<R>>,
    ) -> Result<R, OpenError> {
        match timeout(self.options.limits.call, self.clock().during(call)).await {
            Ok(answer) => answer.map_err(|trap| OpenError::Init(trapped(&self.options.name, operation, &trap))),
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

/// What the caller is told of a trap; the log gets its backtrace.
pub(super) fn trapped(component: &str, operation: &'static str, trap: &wasmtime::Error) -> CallError {
    tracing::error!(%component, operation, "the component trapped: {trap:?}");
    CallError::Trapped { operation, reason: cut(trap.root_cause().to_string()) }
}
