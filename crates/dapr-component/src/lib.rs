//! SDK for Dapr components in WebAssembly: state stores, secret stores and output bindings.
//!
//! A component is a type that implements one trait, and a macro that exports it:
//!
//! | building block | trait | macro |
//! |---|---|---|
//! | state store | [`StateStore`] | [`export_state_store!`] |
//! | secret store | [`SecretStore`] | [`export_secret_store!`] |
//! | output binding | [`OutputBinding`] | [`export_output_binding!`] |
//!
//! Its crate is a library of the type `cdylib`, built for `wasm32-wasip2`. This is a whole state store:
//!
//! ```
//! use std::collections::HashMap;
//!
//! use dapr_component::state::{DeleteRequest, Description, Error, Features, GetRequest, Instances, Item, SetRequest};
//! use dapr_component::{InitError, Properties, StateStore, export_state_store};
//!
//! /// Values in memory, at most `maxKeys` of them.
//! struct Memory {
//!     values: HashMap<String, Vec<u8>>,
//!     max_keys: usize,
//! }
//!
//! impl StateStore for Memory {
//!     fn init(properties: Properties) -> Result<Self, InitError> {
//!         Ok(Self { values: HashMap::new(), max_keys: properties.int("maxKeys")?.unwrap_or(1000) })
//!     }
//!
//!     fn describe(&self) -> Description {
//!         Description { features: Features::empty(), instances: Instances::One, multi_max_size: None }
//!     }
//!
//!     fn get(&mut self, request: GetRequest) -> Result<Option<Item>, Error> {
//!         Ok(self.values.get(&request.key).cloned().map(Item::new))
//!     }
//!
//!     fn set(&mut self, request: SetRequest) -> Result<(), Error> {
//!         if self.values.len() >= self.max_keys && !self.values.contains_key(&request.key) {
//!             return Err(Error::other(format!("the store is full: maxKeys is {}", self.max_keys)));
//!         }
//!         self.values.insert(request.key, request.value);
//!         Ok(())
//!     }
//!
//!     fn delete(&mut self, request: DeleteRequest) -> Result<(), Error> {
//!         self.values.remove(&request.key);
//!         Ok(())
//!     }
//! }
//!
//! export_state_store!(Memory);
//! ```
//!
//! The types of requests and responses are those of the contract in `wit/components`. Calls of one instance never overlap,
//! so that methods take `&mut self`. On other targets the macros export nothing, so that the tests of a component run
//! anywhere.

pub mod binding;
#[doc(hidden)]
pub mod contract;
mod error;
#[doc(hidden)]
pub mod export;
pub mod secrets;
pub mod state;

pub use binding::OutputBinding;
pub use component_values::{Properties, PropertyError};
pub use contract::InitError;
pub use secrets::SecretStore;
pub use state::StateStore;

/// Metadata of a request or a response: names and values. Names are unique, and their order is irrelevant.
pub type Metadata = Vec<(String, String)>;
