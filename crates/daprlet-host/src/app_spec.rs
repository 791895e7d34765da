//! Specification of one application.

use std::path::PathBuf;

use dapr_api_http::Options;
use dapr_resources::configuration::{AccessControl, SecretScope};
use dapr_runtime::{AppResources, HealthCheck};
use guest_wasmedge::command::WasmEdgeCommand;
use guest_wasmedge::{Limits, Weight};
use http::header::HeaderValue;

/// One application with its sidecar.
#[derive(Clone, Debug)]
pub struct AppSpec {
    /// App id.
    pub id: String,
    /// App port; an application without a port cannot be called.
    pub port: Option<u16>,
    /// Origin of the port's configuration, such as `appPort (dapr.yaml:6)`.
    pub port_origin: String,
    /// The program.
    pub workload: Workload,
    /// Its Dapr HTTP API.
    pub api: ApiSettings,
    /// Its Dapr runtime.
    pub runtime: RuntimeSettings,
}

/// The program of an application, and how it runs.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Command that runs the application.
    pub command: Command,
    /// Working directory.
    pub working_dir: PathBuf,
    /// Environment variables of a native process, in addition to the host's own.
    pub environment: Vec<(String, String)>,
    /// Resource limits of a guest.
    pub limits: Limits,
    /// Share of processor time relative to other guests.
    pub weight: Weight,
    /// Maximum instances of a module; more than one are started on demand.
    pub instances: usize,
    /// True if the run ends when this application exits, as with `dapr run -- COMMAND`.
    pub ends_run: bool,
}

/// The Dapr HTTP API of an application.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Port; zero lets the system choose.
    pub port: u16,
    /// Port for health and metadata without an API token (`--dapr-public-port`).
    pub public_port: Option<u16>,
    /// Limits, token and access.
    pub options: Options,
}

/// The Dapr runtime of an application.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    /// Its components, middleware and endpoints.
    pub resources: AppResources,
    /// Secrets that it may read.
    pub secret_scopes: Vec<SecretScope>,
    /// Applications that may invoke this one, and their allowed operations.
    pub access_control: AccessControl,
    /// Features that its Configuration enables.
    pub enabled_features: Vec<String>,
    /// Maximum total of request bodies that its API buffers at once, in bytes.
    pub bodies: usize,
    /// Token that the sidecar sends to the application (`APP_API_TOKEN`).
    pub app_token: Option<HeaderValue>,
    /// Maximum concurrent requests; zero means no limit.
    pub max_concurrency: u32,
    /// Health probes, if enabled; they require a port.
    pub health_check: Option<HealthCheck>,
}

/// The program of an application.
#[derive(Clone, Debug)]
pub enum Command {
    /// A WasmEdge module or a component app, as a guest in this process.
    WasmEdge(WasmEdgeCommand),
    /// A component app, as a guest in this process.
    #[cfg(feature = "component-apps")]
    Serve(guest_wasi_http::command::ServeCommand),
    /// Any other program, as a process of its own: the program and its arguments.
    Process(Vec<String>),
    /// No program: just the sidecar, for an application started elsewhere.
    None,
}
