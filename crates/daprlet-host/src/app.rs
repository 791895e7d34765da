//! Configuration of one application.

use std::path::PathBuf;

use dapr_api_http::{AllowedOrigins, ApiAccess, ApiToken};
use dapr_resources::component::ComponentResource;
use dapr_resources::configuration::Handler;
use dapr_resources::http_endpoint::HttpEndpointResource;
use dapr_runtime::SecretScope;
use dapr_runtime::access_control::AccessControl;
use guest_wasmedge::command::WasmEdgeCommand;
use guest_wasmedge::{Limits, Weight};

use crate::app_health::HealthCheck;

/// One application with its sidecar.
#[derive(Clone, Debug)]
pub struct App {
    /// App id.
    pub id: String,
    /// App port; an application without a port cannot be called.
    pub port: Option<u16>,
    /// Origin of the port's configuration, such as `appPort (dapr.yaml:6)`.
    pub port_origin: String,
    /// Port of its Dapr HTTP API; zero lets the system choose.
    pub dapr_http_port: u16,
    /// Command that runs the application.
    pub command: Command,
    /// Working directory.
    pub working_dir: PathBuf,
    /// Environment variables of a native process, in addition to the host's own.
    pub environment: Vec<(String, String)>,
    /// Its components.
    pub components: Vec<ComponentResource>,
    /// Its middleware components, to which pipelines refer by name.
    pub middleware: Vec<ComponentResource>,
    /// Middleware for requests to its API, in order.
    pub http_pipeline: Vec<Handler>,
    /// Middleware for requests to the application, in order.
    pub app_http_pipeline: Vec<Handler>,
    /// HTTPEndpoints: outside servers that it invokes by name.
    pub http_endpoints: Vec<HttpEndpointResource>,
    /// Secrets that it may read.
    pub secret_scopes: Vec<SecretScope>,
    /// Parts of the Dapr API that it may use.
    pub api_access: ApiAccess,
    /// Applications that may invoke this one, and their allowed operations.
    pub access_control: AccessControl,
    /// Maximum size of a request body of the API, in bytes.
    pub max_body_size: u64,
    /// Maximum total of request bodies that its API buffers at once, in bytes.
    pub bodies: usize,
    /// Maximum size of the headers of a request to the API, in bytes.
    pub read_buffer_size: u64,
    /// API token required of callers (`dapr-api-token`), if any.
    pub api_token: Option<ApiToken>,
    /// Allowed CORS origins of the API; `None` sends no CORS headers.
    pub allowed_origins: Option<AllowedOrigins>,
    /// Port for health and metadata without an API token (`--dapr-public-port`).
    pub public_port: Option<u16>,
    /// True if every API call is logged.
    pub logs_api_calls: bool,
    /// Features that its Configuration enables.
    pub enabled_features: Vec<String>,
    /// Token that the sidecar sends to the application (`APP_API_TOKEN`).
    pub app_token: Option<ApiToken>,
    /// Maximum concurrent requests; zero means no limit.
    pub max_concurrency: u32,
    /// Health probes, if enabled; they require a port.
    pub health_check: Option<HealthCheck>,
    /// Resource limits of a guest.
    pub limits: Limits,
    /// Share of processor time relative to other guests.
    pub weight: Weight,
    /// Maximum instances of a module; more than one are started on demand.
    pub instances: usize,
    /// True if the run ends when this application exits, as with `dapr run -- COMMAND`.
    pub ends_run: bool,
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
