//! What the host is told about one application.

use std::path::PathBuf;

use dapr_http::{AllowedOrigins, ApiAccess, ApiToken};
use dapr_resources::component::ComponentResource;
use dapr_resources::configuration::Handler;
use dapr_resources::http_endpoint::HttpEndpointResource;
use sidecar::SecretScope;
use sidecar::access_control::AccessControl;
use wasmedge_guest::command::WasmEdgeCommand;
use wasmedge_guest::{Limits, Weight};

use crate::app_health::HealthCheck;

/// One application with its sidecar.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Where it listens; an application without a port cannot be called.
    pub port: Option<u16>,
    /// Where the port is configured, such as `appPort (dapr.yaml:6)`.
    pub port_origin: String,
    /// Where its Dapr HTTP API listens; zero lets the system choose.
    pub dapr_http_port: u16,
    /// What runs.
    pub command: Command,
    /// The folder that it runs in.
    pub working_dir: PathBuf,
    /// The environment that a native process gets beside the host's own.
    pub environment: Vec<(String, String)>,
    /// Its components.
    pub components: Vec<ComponentResource>,
    /// Its middleware, which pipelines name.
    pub middleware: Vec<ComponentResource>,
    /// The middleware that requests to its API pass, in order.
    pub http_pipeline: Vec<Handler>,
    /// The middleware that requests pass before it gets them.
    pub app_http_pipeline: Vec<Handler>,
    /// The servers outside that it invokes by a name.
    pub http_endpoints: Vec<HttpEndpointResource>,
    /// Which secrets it may read.
    pub secret_scopes: Vec<SecretScope>,
    /// Which parts of the API there are.
    pub api_access: ApiAccess,
    /// Which other applications may invoke this one, and what of it.
    pub access_control: AccessControl,
    /// The largest request body of the API, in bytes.
    pub max_body_size: u64,
    /// The most bytes of request bodies that its API holds at once while they arrive.
    pub bodies: usize,
    /// How large the headers of a request to the API may be, in bytes.
    pub read_buffer_size: u64,
    /// What callers of the API must show.
    pub api_token: Option<ApiToken>,
    /// Whose pages may use the API.
    pub allowed_origins: Option<AllowedOrigins>,
    /// Where health and metadata are served beside, without an API token (`--dapr-public-port`).
    pub public_port: Option<u16>,
    /// Logs every call of the API.
    pub logs_api_calls: bool,
    /// The features that its Configuration enables.
    pub enabled_features: Vec<String>,
    /// What the sidecar shows to the application (`APP_API_TOKEN`).
    pub app_token: Option<ApiToken>,
    /// The most requests at once; zero means no limit.
    pub max_concurrency: u32,
    /// Probes of its health, if it is to be probed; it has to have a port then.
    pub health_check: Option<HealthCheck>,
    /// What a guest may use up.
    pub limits: Limits,
    /// The share of the processors beside those of other guests.
    pub weight: Weight,
    /// The most instances of a module; more than one are started by need.
    pub instances: usize,
    /// Ends the run when this application exits, as that of `dapr run -- COMMAND` does.
    pub ends_run: bool,
}

/// What runs as an application.
#[derive(Clone, Debug)]
pub enum Command {
    /// A module built for WasmEdge, or a component, as a guest in this process.
    WasmEdge(WasmEdgeCommand),
    /// A component, as a guest in this process.
    #[cfg(feature = "component-apps")]
    Serve(component_guest::command::ServeCommand),
    /// Anything else, as a process of its own: the program and its arguments.
    Process(Vec<String>),
    /// Nothing: just the sidecar, for an application that somebody else runs.
    None,
}
