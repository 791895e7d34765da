//! Traits between Dapr's building blocks and the components that implement them.
//!
//! A component (SQLite, Redis, a secrets file, ...) implements one of the small traits here; an API (Dapr's HTTP API, a
//! WIT interface) calls them. Neither knows the other, and nothing in this crate does HTTP, Wasm or I/O.
//!
//! The traits follow `dapr/components-contrib` v1.18: `state/store.go`, `secretstores/secret_store.go`,
//! `bindings/{input,output}_binding.go`, `lock/store.go`, `pubsub/pubsub.go`.

pub mod binding;
pub mod component;
pub mod configuration;
pub mod lock;
pub mod middleware;
pub mod pubsub;
pub mod secret;
pub mod state;

use std::collections::BTreeMap;

pub use binding::{InputBinding, OutputBinding};
pub use component::{Component, ComponentSpec, Context, InitError, Properties, Registry};
pub use component_values::go_duration;
pub use middleware::HttpMiddleware;
pub use pubsub::PubSub;
pub use secret::{Secret, SecretStore};
pub use state::{StateError, StateStore};

/// Metadata of a request or response: names and values, exactly as in Dapr's APIs.
pub type Metadata = BTreeMap<String, String>;

/// The cause of an error, of whatever type the component's own library has.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
