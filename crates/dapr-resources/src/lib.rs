//! Reads run templates (`dapr.yaml`), Component, Subscription, Resiliency, HTTPEndpoint and Configuration YAML as the Dapr
//! CLI and `daprd` do.
//!
//! Two layers: `document` reads YAML into nodes with line numbers; the other modules read the fields of Dapr's types
//! from these nodes. Errors are collected, so that a user sees all of them at once, each with file and line. Where Dapr
//! warns about a bad document and continues without it, this is an error; a field that has no effect is a warning.

pub mod component;
mod config_error;
pub mod configuration;
mod document;
mod expand;
pub mod http_endpoint;
pub mod resiliency;
mod resource_header;
pub mod resources;
pub mod run_template;
pub mod size;
pub mod subscription;
pub mod value;

pub use config_error::{ConfigError, ConfigErrors};
