//! Runs services that are components: each answers requests through `wasi:http/incoming-handler`, and imports WASI, outgoing
//! HTTP, `wasi:nn`, and whatever else its host links.
//!
//! An instance answers one request at a time. By default it is made for that request and dropped after it, so that a trap
//! ends nothing else and nothing is left over for the next one; a service that keeps something in its memory (a model) is
//! given many requests, if it or the host says so. There are as many instances at once as there are requests, up to a limit.

mod app;
pub mod command;
mod engine;
mod error;
mod instances;
mod nn;
mod options;
mod outbound;
mod output;
mod state;
mod unbroken;

pub use app::{Body, HttpApp};
pub use engine::Engine;
pub use error::ComponentError;
pub use options::{Folder, Limits, Options};
pub use outbound::Outbound;
pub use state::{Imports, State};
pub use wasm_engine::{Account, Weight};
