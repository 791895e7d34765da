//! The instance pool of one component: one instance, or as many as it and its limits allow.
//!
//! An instance serves one call at a time. One whose call failed is dropped, because its state is unknown, and the next
//! call starts another.

mod run_to_completion;
mod start;
mod swappable;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::check::{self, WorldSpec};
use crate::contract::types::{InitError, Properties};
use crate::engine::Module;
use crate::error::{CallError, OpenError};
use crate::host::HostState;
use crate::options::Options;
use run_to_completion::RunToCompletion;
use start::Starter;
pub(crate) use swappable::SwappablePool;

/// A world of the contract, bound to one instance.
pub(crate) trait World: Sized + Send + Sync + 'static {
    /// Required exports of a component of the world.
    const SPEC: WorldSpec;
    /// The component's self-description.
    type Description: Clone + Send + Sync;

    /// Looks up the functions of an instance, and checks their types.
    fn bind(store: &mut Store<HostState>, instance: &Instance) -> wasmtime::Result<Self>;

    /// Calls `init`.
    fn init(
        &self,
        store: &mut Store<HostState>,
        properties: &Properties,
    ) -> impl Future<Output = wasmtime::Result<Result<(), InitError>>> + Send;

    /// Calls the function that describes the component.
    fn describe(
        &self,
        store: &mut Store<HostState>,
    ) -> impl Future<Output = wasmtime::Result<Self::Description>> + Send;

    /// Returns whether there may be more than one instance.
    fn may_be_many(description: &Self::Description) -> bool;
}

/// An instance that is ready for calls.
struct LiveInstance<W> {
    store: Store<HostState>,
    world: W,
}

/// The instances of one component.
pub(crate) struct Pool<W: World> {
    starter: Starter<W>,
    description: W::Description,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<LiveInstance<W>>>,
}

impl<W: World> Pool<W> {
    /// Checks the component and starts its first instance.
    pub(crate) async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        check::check(module, &W::SPEC, &options.grants)?;
        let starter = Starter::new(module, options)?;
        let (live, description) = starter.start().await?;
        let instances = if W::may_be_many(&description) { starter.options.limits.instances.max(1) } else { 1 };
        let permits = Arc::new(Semaphore::new(instances.min(Semaphore::MAX_PERMITS)));
        Ok(Self { starter, description, permits, idle: Mutex::new(vec![live]) })
    }

    pub(crate) fn description(&self) -> &W::Description {
        &self.description
    }

    pub(crate) fn options(&self) -> &Options {
        &self.starter.options
    }

    /// Runs one call on an instance of its own.
    ///
    /// A started call is finished even if its caller is dropped: a client that hangs up must not cost others the
    /// instance.
    pub(crate) async fn call<R, F>(self: Arc<Self>, operation: &'static str, call: F) -> Result<R, CallError>
    where
        R: Send + 'static,
        F: for<'a> FnOnce(&'a W, &'a mut Store<HostState>) -> BoxFuture<'a, wasmtime::Result<R>> + Send + 'static,
    {
        let limit = self.options().limits.call;
        let permit = match timeout(limit, self.permits.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(|closed| CallError::Restart(closed.to_string()))?,
            Err(_) => return Err(CallError::Busy { operation, limit }),
        };
        RunToCompletion::new(async move {
            let answer = self.run(operation, call).await;
            drop(permit);
            answer
        })
        .await
    }

    async fn run<R, F>(&self, operation: &'static str, call: F) -> Result<R, CallError>
    where
        F: for<'a> FnOnce(&'a W, &'a mut Store<HostState>) -> BoxFuture<'a, wasmtime::Result<R>> + Send,
    {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut live = match idle {
            Some(live) => live,
            None => self.starter.start().await.map_err(|error| CallError::Restart(error.to_string()))?.0,
        };
        let limit = self.options().limits.call;
        let called = self.starter.clock().run(call(&live.world, &mut live.store));
        let error = match timeout(limit, called).await {
            Ok(Ok(answer)) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(live);
                return Ok(answer);
            }
            Ok(Err(trap)) => start::trap_error(&self.options().name, operation, &trap),
            Err(_) => CallError::TimedOut { operation, limit },
        };
        tracing::error!(component = %self.options().name, "{error}; a new instance takes its place, without the old one's memory");
        Err(error)
    }
}
