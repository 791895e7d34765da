//! State stores.

mod convert;
mod weight;
mod world;

use async_trait::async_trait;
use dapr_building_blocks::state::{
    DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
};
use dapr_building_blocks::{Metadata, StateError, StateStore};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use wasmtime::Store;

use crate::contract::StateStoreWorld;
use crate::contract::state::{Error, Guest};
use crate::engine::Module;
use crate::error::{CallError, OpenError, ReplaceError};
use crate::host::HostState;
use crate::options::Options;
use crate::pool::SwappablePool;
use weight::Weight;

/// A state store implemented by a Wasm component.
pub struct WasmStateStore {
    current: SwappablePool<StateStoreWorld>,
    features: StateFeatures,
}

/// A function of the contract, called with an argument of type `A`.
type Function<A, R> = for<'a> fn(&'a Guest, &'a mut Store<HostState>, &'a A) -> BoxFuture<'a, wasmtime::Result<R>>;

/// Results of a bulk call, one for each request.
type BulkResults<R> = Vec<Result<R, Error>>;

impl WasmStateStore {
    /// Starts a store. Must run inside a tokio runtime, like all calls.
    ///
    /// # Errors
    /// When the component is not a state store, imports more than it is granted, or rejects its properties.
    pub async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        let current = SwappablePool::<StateStoreWorld>::open(module, options).await?;
        let features = convert::features(current.pool().description().features);
        Ok(Self { current, features })
    }

    /// Replaces the module, with the same options.
    ///
    /// Calls that have started end on the old instances, all others go to the new ones. The old instances' memory is
    /// lost.
    ///
    /// # Errors
    /// When the new module cannot be opened, or declares other features; the old one then stays.
    pub async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.current.replace(module, |old, new| old.features == new.features).await
    }

    /// Runs one call, if its argument is not too large.
    async fn call<A, R>(&self, operation: &'static str, argument: A, function: Function<A, R>) -> Result<R, CallError>
    where
        A: Weight + Send + Sync + 'static,
        R: Send + 'static,
    {
        let pool = self.current.pool();
        let (bytes, max) = (argument.weight(), pool.options().limits.call_bytes());
        if bytes > max {
            return Err(CallError::TooLarge { bytes, max });
        }
        let called = pool.call(operation, move |world, store| {
            async move { function(world.dapr_components_state(), store, &argument).await }.boxed()
        });
        called.await
    }

    /// Runs a bulk call; returns the result of each request.
    async fn bulk<A, R, T>(
        &self,
        operation: &'static str,
        requests: Vec<A>,
        parallelism: usize,
        function: Function<(Vec<A>, u32), BulkResults<R>>,
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
        let results = self.call(operation, (requests, parallelism), function).await.and_then(|results| {
            let why = || format!("{} answers to {asked} requests", results.len());
            if results.len() == asked { Ok(results) } else { Err(CallError::InvalidResult { operation, why: why() }) }
        });
        match results {
            Ok(results) => {
                results.into_iter().map(|result| result.map(convert).map_err(convert::store_error)).collect()
            }
            Err(error) => std::iter::repeat_with(|| Err(convert::call_error(error.clone()))).take(asked).collect(),
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
        Ok(found.map_err(convert::call_error)?.map_err(convert::store_error)?.map(convert::item))
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let request = convert::set_request(request);
        let done = self.call("set", request, |guest, store, request| guest.call_set(store, request).boxed()).await;
        done.map_err(convert::call_error)?.map_err(convert::store_error)
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        let request = convert::delete_request(request);
        let done =
            self.call("delete", request, |guest, store, request| guest.call_delete(store, request).boxed()).await;
        done.map_err(convert::call_error)?.map_err(convert::store_error)
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
        done.map_err(convert::call_error)?.map_err(convert::store_error)
    }

    async fn multi_max_size(&self) -> Option<usize> {
        self.current.pool().description().multi_max_size.and_then(|max| usize::try_from(max).ok())
    }

    async fn ping(&self) -> Result<(), StateError> {
        let pinged = self.call("ping", (), |guest, store, ()| guest.call_ping(store).boxed()).await;
        pinged.map_err(convert::call_error)?.map_err(convert::store_error)
    }
}
