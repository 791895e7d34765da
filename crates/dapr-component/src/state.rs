//! State stores: byte values by key, with etags, time to live and transactions if the store declares them.

mod request;

pub use component_values::{TTL_EXPIRE_TIME, TTL_IN_SECONDS, TimeToLive, TtlError};

use crate::contract::state_store::exports::dapr::components::state::Guest;
pub use crate::contract::state_store::exports::dapr::components::state::{
    Concurrency, Consistency, DeleteRequest, Description, Error, Features, GetRequest, Instances, Item, Operation,
    Options, SetRequest,
};
use crate::export::{Exported, Exports, call, keep};
use crate::{InitError, Metadata, Properties};

/// A state store; [`export_state_store!`](crate::export_state_store) exports it.
pub trait StateStore: Sized + 'static {
    /// Creates the store from its properties. Called once, before anything else.
    ///
    /// # Errors
    /// When a property is wrong, or a dependency is not available now.
    fn init(properties: Properties) -> Result<Self, InitError>;

    /// Describes the store. Called once, after [`init`](Self::init).
    fn describe(&self) -> Description;

    /// Reads one key; `None` if it is absent or has expired.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get(&mut self, request: GetRequest) -> Result<Option<Item>, Error>;

    /// Writes one key. An acknowledged write is as durable as the store promises.
    ///
    /// # Errors
    /// When the key does not have the required etag, the request is invalid, or the store cannot be written.
    fn set(&mut self, request: SetRequest) -> Result<(), Error>;

    /// Deletes one key. Deleting an absent key succeeds, unless the request has an etag.
    ///
    /// # Errors
    /// When the key does not have the required etag, or the store cannot be written.
    fn delete(&mut self, request: DeleteRequest) -> Result<(), Error>;

    /// Reads many keys, by default one after the other. Returns one result for each request, in order.
    ///
    /// `parallelism` limits reads at the same time; zero means no limit.
    fn bulk_get(&mut self, requests: Vec<GetRequest>, _parallelism: u32) -> Vec<Result<Option<Item>, Error>> {
        requests.into_iter().map(|request| self.get(request)).collect()
    }

    /// Writes many keys, not atomically, by default one after the other. Returns one result for each request, in order.
    fn bulk_set(&mut self, requests: Vec<SetRequest>, _parallelism: u32) -> Vec<Result<(), Error>> {
        requests.into_iter().map(|request| self.set(request)).collect()
    }

    /// Deletes many keys, not atomically, by default one after the other. Returns one result for each request, in order.
    fn bulk_delete(&mut self, requests: Vec<DeleteRequest>, _parallelism: u32) -> Vec<Result<(), Error>> {
        requests.into_iter().map(|request| self.delete(request)).collect()
    }

    /// Applies all operations in order, or none. Only called if [`Features::TRANSACTIONAL`] is declared.
    ///
    /// # Errors
    /// Like [`set`](Self::set) and [`delete`](Self::delete); [`Error::Unsupported`] by default.
    fn transact(&mut self, _operations: Vec<Operation>, _metadata: Metadata) -> Result<(), Error> {
        Err(Error::unsupported("transactions"))
    }

    /// Checks that the store can be reached now; by default it can.
    ///
    /// # Errors
    /// When it cannot.
    fn ping(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl Item {
    /// Creates an item without etag, metadata and content type.
    pub const fn new(value: Vec<u8>) -> Self {
        Self { value, etag: None, metadata: Vec::new(), content_type: None }
    }
}

impl<S: StateStore + Exported> Guest for Exports<S> {
    fn init(properties: Vec<(String, String)>) -> Result<(), InitError> {
        S::init(Properties::from_secrets(properties)).map(keep)
    }

    fn describe() -> Description {
        call(|store: &mut S| store.describe())
    }

    fn get(request: GetRequest) -> Result<Option<Item>, Error> {
        call(|store: &mut S| store.get(request))
    }

    fn set(request: SetRequest) -> Result<(), Error> {
        call(|store: &mut S| store.set(request))
    }

    fn delete(request: DeleteRequest) -> Result<(), Error> {
        call(|store: &mut S| store.delete(request))
    }

    fn bulk_get(requests: Vec<GetRequest>, parallelism: u32) -> Vec<Result<Option<Item>, Error>> {
        call(|store: &mut S| store.bulk_get(requests, parallelism))
    }

    fn bulk_set(requests: Vec<SetRequest>, parallelism: u32) -> Vec<Result<(), Error>> {
        call(|store: &mut S| store.bulk_set(requests, parallelism))
    }

    fn bulk_delete(requests: Vec<DeleteRequest>, parallelism: u32) -> Vec<Result<(), Error>> {
        call(|store: &mut S| store.bulk_delete(requests, parallelism))
    }

    fn transact(operations: Vec<Operation>, metadata: Metadata) -> Result<(), Error> {
        call(|store: &mut S| store.transact(operations, metadata))
    }

    fn ping() -> Result<(), Error> {
        call(S::ping)
    }
}
