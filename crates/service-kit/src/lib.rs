//! Server, settings, rate limit and events for services that are axum routers.
//!
//! A service is an [`axum::Router`]. [`Service`] adds the layers that all services share, [`edge`] serves it on
//! WasmEdge's sockets, as a component or natively, and a program only calls [`run`].

mod access_log;
mod allowed_origins;
mod background;
mod body;
mod client_address;
mod clock;
mod description;
pub mod edge;
pub mod events;
mod fallback;
pub mod form;
#[cfg(any(test, not(all(target_os = "wasi", target_env = "p2"))))]
mod framing;
mod health;
mod in_flight;
mod keyed_mutex;
mod negotiation;
mod problem;
pub mod rate_limit;
mod rejection;
mod service;
mod settings;
mod startup;
pub mod subscription;
mod trusted_proxies;
mod usage;

pub use access_log::{Log, StderrLog, Unlogged};
pub use allowed_origins::AllowedOrigins;
pub use client_address::{ClientAddress, Peer};
pub use clock::{Clock, SystemClock};
pub use description::{Description, Endpoint};
pub use health::{Check, Health};
pub use negotiation::accepts;
pub use problem::Problem;
pub use service::Service;
pub use settings::{ConfigErrors, EdgeSettings, Environment};
pub use startup::run;
pub use subscription::{Delivery, Event, Subscriptions};
pub use trusted_proxies::TrustedProxies;
pub use usage::{Usage, UsageSettings};
