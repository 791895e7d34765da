//! What the image and event services share: the HTTP edge, rate limiting and event delivery.
//!
//! A service implements [`App`]: a table of routes and one pure function from [`Call`] to response. [`Service`] puts
//! around it what every service owes its users, and an edge serves that over HTTP, on WasmEdge's sockets or natively.

mod access_log;
mod accounting;
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
mod meanwhile;
mod negotiation;
mod problem;
pub mod rate_limit;
mod routing;
mod service;
mod settings;
pub mod startup;
mod turnstile;

pub use access_log::{Log, StderrLog};
pub use accounting::{Accounting, AccountingSettings};
pub use app::{App, Call, Response, Route};
pub use body::{BodyError, BodySource};
pub use caller::TrustedProxies;
pub use clock::{Clock, SystemClock};
pub use cors::AllowedOrigins;
pub use health::{Check, Health};
pub use negotiation::accepts;
pub use problem::Problem;
pub use service::Service;
pub use settings::{EdgeSettings, Environment, Mistakes};
