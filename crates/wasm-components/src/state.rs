//! State stores.

mod convert;
mod weight;
mod world;

use async_trait::async_trait;
use building_blocks::state::{
    DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
};
use building_blocks::{Metadata, StateError, StateStore};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use wasmtime::Store;

use crate::contract::StateStoreWorld;
use crate::contract::state::{Error, Guest};
use crate::engine::Module;
use crate::error::{CallError, OpenError, ReplaceError};
use crate::host::HostState;
use crate::options::Options;
use crate::pool::Current;
use weight::Weight;

/// A state store that is a Wasm component.
pub struct WasmStateStore {
    current: Current<StateStoreWorld>,
    features: StateFeatures,
}

/// One function of the contract, called with an argument of type `A`.
type Function<A, R> = for<'a> fn(&'a Guest, &'a mut Store<HostState>, &'a A) -> BoxFuture<'a, wasmtime::Result<R>>;

/// What a component answers to each of many requests.
type Answers<R> = Vec<Result<R, Error>>;

impl WasmStateStore {
    /// Starts a store. Must run inside a tokio runtime, as all calls must.
    ///
    /// # Errors
    /// When the component is no state store, wants more than it is granted, or refuses its properties.
    pub async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        let current = Current::<StateStoreWorld>::open(module, options).await?;
        let features = convert::features(current.pool().description().features);
        Ok(Self { current, features })
    }

    /// Puts another module in the place of this one, under the same options. Calls that have begun end on the old one, all
    /// others go to the new one. What the old one held in its memory is gone.
    ///
    /// # Errors
    /// When the new module cannot be opened, or declares other features than the old one; the old one then stays.
    pub async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.current.replace(module, |old, new| old.features == new.features).await
    }

    /// One call, if its argument is not more than the component can take.
    async fn call<A, R>(&self, operation: &'static str, argument: A, function: Function<A, R>) -> Result<R, CallError>
    where
        A: Weight + Send + Sync + 'static,
        R: Send + 'static,
    {
        let pool = self.current.pool();
        let (bytes, most) = (argument.weight(), pool.options().limits.call_bytes());
        if bytes > most {
            return Err(CallError::TooLarge { bytes, most });
        }
        let called = pool.call(operation, move |world, store| {
            async move { function(world.dapr_components_state(), store, &argument).await }.boxed()
        });
        called.await
    }

    /// One call with many requests, and the fate of each.
    async fn bulk<A, R, T>(
        &self,
        operation: &'static str,
        requests: Vec<A>,
        parallelism: usize,
        function: Function<(Vec<A>, u32), Answers<R>>,
        convert: fn(R) -> T,
    ) -> Vec<Result<T, StateError>>
    where
        A: Weight + Send + Sync + 'static,
        R: Send + 'static,
    {
        let asked = requests.len();
        if asked == 0 {
            return Vec::new();
        }
        let parallelism = u32::try_from(parallelism).unwrap_or(u32::MAX);
        let answers = self.call(operation, (requests, parallelism), function).await.and_then(|answers| {
            let why = || format!("{} answers to {asked} requests", answers.len());
            if answers.len() == asked { Ok(answers) } else { Err(CallError::Answer { operation, why: why() }) }
        });
        match answers {
            Ok(answers) => answers.into_iter().map(|answer| answer.map(convert).map_err(convert::refused)).collect(),
            Err(error) => std::iter::repeat_with(|| Err(convert::failed(error.clone()))).take(asked).collect(),
        }
    }
}

#[async_trait]
impl StateStore for WasmStateStore {
    fn features(&self) -> StateFeatures {
        self.features
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        let request = convert::get_request(request);
        let found = self.call("get", request, |guest, store, request| guest.call_get(store, request).boxed()).await;
        Ok(found.map_err(convert::failed)?.map_err(convert::refused)?.map(convert::item))
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let request = convert::set_request(request);
        let done = self.call("set", request, |guest, store, request| guest.call_set(store, request).boxed()).await;
        done.map_err(convert::failed)?.map_err(convert::refused)
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        let request = convert::delete_request(request);
        let done =
            self.call("delete", request, |guest, store, request| guest.call_delete(store, request).boxed()).await;
        done.map_err(convert::failed)?.map_err(convert::refused)
    }

    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        parallelism: usize,
    ) -> Vec<Result<Option<StateItem>, StateError>> {
        let requests = requests.into_iter().map(convert::get_request).collect();
        let function: Function<(Vec<_>, u32), _> =
            |guest, store, (requests, at_once)| guest.call_bulk_get(store, requests, *at_once).boxed();
        self.bulk("bulk-get", requests, parallelism, function, |found| found.map(convert::item)).await
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>, parallelism: usize) -> Vec<Result<(), StateError>> {
        let requests = requests.into_iter().map(convert::set_request).collect();
        let function: Function<(Vec<_>, u32), _> =
            |guest, store, (requests, at_once)| guest.call_bulk_set(store, requests, *at_once).boxed();
        self.bulk("bulk-set", requests, parallelism, function, |()| ()).await
    }

    async fn bulk_delete(&self, requests: Vec<DeleteRequest>, parallelism: usize) -> Vec<Result<(), StateError>> {
        let requests = requests.into_iter().map(convert::delete_request).collect();
        let function: Function<(Vec<_>, u32), _> =
            |guest, store, (requests, at_once)| guest.call_bulk_delete(store, requests, *at_once).boxed();
        self.bulk("bulk-delete", requests, parallelism, function, |()| ()).await
    }

    async fn transact(&self, operations: Vec<Operation>, metadata: Metadata) -> Result<(), StateError> {
        if !self.features.contains(StateFeature::Transactional) {
            return Err(StateError::Unsupported("transactions".into()));
        }
        let operations = operations.into_iter().map(convert::operation).collect::<Vec<_>>();
        let arguments = (operations, convert::metadata(metadata));
        let function: Function<(Vec<_>, Vec<_>), _> =
            |guest, store, (operations, metadata)| guest.call_transact(store, operations, metadata).boxed();
        let done = self.call("transact", arguments, function).await;
        done.map_err(convert::failed)?.map_err(convert::refused)
    }

    async fn multi_max_size(&self) -> Option<usize> {
        self.current.pool().description().multi_max_size.and_then(|most| usize::try_from(most).ok())
    }

    async fn ping(&self) -> Result<(), StateError> {
        let pinged = self.call("ping", (), |guest, store, ()| guest.call_ping(store).boxed()).await;
        pinged.map_err(convert::failed)?.map_err(convert::refused)
    }
}
