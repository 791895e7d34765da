//! Reads run templates (`dapr.yaml`), Component, HTTPEndpoint and Configuration YAML as the Dapr CLI and `daprd` do.
//!
//! Two layers: `document` reads YAML into nodes that know their line; the other modules take from a node what Dapr's
//! types have. Mistakes are collected, not thrown: a user sees all of them at once, each with file and line. Where Dapr
//! warns about a bad document and goes on without it, this is an error; a field that has no effect is a warning.

pub mod component;
pub mod configuration;
mod document;
mod expand;
mod head;
pub mod http_endpoint;
mod problem;
pub mod resources;
pub mod run_template;
pub mod size;
pub mod value;

pub use problem::{Problem, Problems};
