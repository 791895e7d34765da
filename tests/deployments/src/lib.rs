//! Runs the same sidecars and applications in one daprlet, or in real `daprd` and real WasmEdge.
//!
//! Used by the parity suite and by benchmarks.

mod client;
mod deployment;
mod echo;
mod faults;
mod request;
mod response;
mod servers;
pub mod topology;

pub use client::request;
pub use deployment::{Deployment, Kind, Programs, Runtime, Servers};
pub use faults::{DISK_FAILURE, DISK_FULL, Faults};
pub use request::{Database, Payload, To};
pub use response::RecordedResponse;
pub use servers::{DeploymentServers, Redis, ServerPair};
pub use test_servers::Server;
pub use topology::{App, Config, Sidecar, Topology};
