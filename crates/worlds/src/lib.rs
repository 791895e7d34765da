//! The same sidecars and applications in two worlds: in one daprlet, or in real `daprd` and real WasmEdge. For the parity
//! suite and for benchmarks.

mod answer;
pub mod bed;
mod client;
mod echo;
mod request;
mod servers;
mod world;

pub use answer::Answer;
pub use bed::{App, Bed, Config, Sidecar};
pub use client::request;
pub use request::{Database, Payload, To};
pub use servers::{Pair, Redis, Running};
pub use test_servers::Server;
pub use world::{Kind, Programs, Runtime, Servers, World};
