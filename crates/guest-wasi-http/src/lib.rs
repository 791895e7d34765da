//! Runtime for HTTP services that are components.
//!
//! They handle requests through `wasi:http/incoming-handler`, and may import WASI, outgoing HTTP, `wasi:nn`, and
//! interfaces that the host links.
//!
//! An instance handles one request at a time. By default it is created for that request and dropped after it, so that a
//! trap affects nothing else and no state is left over. A service that keeps state in memory (a model) gets many
//! requests per instance, if it or the host says so. There are as many instances as concurrent requests, up to a limit.

mod app;
pub mod command;
mod engine;
mod error;
mod fallible_body;
mod instances;
mod nn;
mod options;
mod outbound;
mod output;
mod state;

pub use app::{Body, HttpApp};
pub use engine::Engine;
pub use error::ComponentError;
pub use guest_engine::{Account, Weight};
pub use options::{Limits, Options, Preopen};
pub use outbound::Outbound;
pub use state::{Imports, State};
