//! Shared parts of the image and event services: HTTP server, rate limiting and event delivery.
//!
//! A service implements [`App`]: a routing table and one pure function from [`Call`] to response. [`Service`] adds what
//! every service needs, and [`edge`] serves that over HTTP, on WasmEdge's sockets or natively.

mod access_log;
mod app;
mod body;
mod caller;
mod clock;
mod cors;
pub mod edge;
pub mod events;
pub mod form;
#[cfg(any(test, not(all(target_os = "wasi", target_env = "p2"))))]
mod framing;
mod health;
mod keyed_mutex;
mod negotiation;
mod overlap;
mod problem;
pub mod rate_limit;
mod routing;
mod service;
mod settings;
pub mod startup;
mod usage;

pub use access_log::{Log, StderrLog};
pub use app::{App, Call, Response, Route};
pub use body::{BodyError, BodySource};
pub use caller::TrustedProxies;
pub use clock::{Clock, SystemClock};
pub use cors::AllowedOrigins;
pub use health::{Check, Health};
pub use negotiation::accepts;
pub use problem::Problem;
pub use service::Service;
pub use settings::{ConfigErrors, EdgeSettings, Environment};
pub use usage::{UsagePolicy, UsageSettings};
