//! A component app: its port, its Dapr imports and its outbound requests.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dapr_api_http::DaprHttp;
use dapr_api_wit::DaprWit;
use dapr_building_blocks::BoxError;
use dapr_runtime::Body;
use guest_wasi_http::command::ServeCommand;
use guest_wasi_http::{Account, HttpApp, Imports, Limits, Options, Outbound, Preopen, State};
use guest_wasmedge::command::WasmEdgeCommand;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutBody;

use crate::accept::Port;
use crate::external::External;
use crate::guest_app::log_if_slow;
use crate::lifetime::Lifetime;
use crate::log::{AppLog, NamedLog};
use crate::workload_context::WorkloadContext;

/// Compiles and links component apps, with Dapr imports.
type Engine = guest_wasi_http::Engine<DaprImports>;

pub use guest_wasi_http::ComponentError;

/// A running component app.
pub(crate) type App = HttpApp<DaprImports>;

/// Dapr imports of an instance, in addition to WASI.
pub(crate) struct DaprImports(pub(crate) DaprWit);

impl Imports for DaprImports {
    fn start_request(&mut self, peer: Option<IpAddr>) {
        self.0.set_peer(peer);
    }
}

/// The engine of all component apps of a host, created at first use.
pub(crate) struct LazyEngine {
    cache: Option<PathBuf>,
    engine: Mutex<Option<Arc<Engine>>>,
}

impl LazyEngine {
    pub(crate) const fn new(cache: Option<PathBuf>) -> Self {
        Self { cache, engine: Mutex::new(None) }
    }

    /// Returns the engine; `memory` is the maximum memory of an instance, in bytes.
    pub(crate) fn get(&self, memory: usize) -> Result<Arc<Engine>, ComponentError> {
        let mut slot = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*slot {
            return Ok(engine.clone());
        }
        let link = |linker: &mut _| {
            dapr_api_wit::add_to_linker(linker, |state: &mut State<DaprImports>| &mut state.imports().0)
        };
        let engine = Arc::new(Engine::new(self.cache.clone(), memory, link)?);
        Ok(slot.insert(engine).clone())
    }
}

/// A component app as given on a command line.
pub(crate) struct ComponentCommand {
    pub(crate) component: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    preopens: Vec<Preopen>,
    memory: Option<usize>,
    requests: Option<u32>,
    instances: Option<usize>,
}

impl ComponentCommand {
    /// Replaces the environment.
    pub(crate) fn with_environment(
        self,
        environment: impl FnOnce(Vec<(String, String)>) -> Vec<(String, String)>,
    ) -> Self {
        Self { environment: environment(self.environment), ..self }
    }
}

impl From<WasmEdgeCommand> for ComponentCommand {
    fn from(command: WasmEdgeCommand) -> Self {
        let WasmEdgeCommand { module, arguments, environment, preopens, memory, .. } = command;
        let folder = |it: guest_wasmedge::Preopen| Preopen { host: it.host, guest: it.guest, read_only: it.read_only };
        Self {
            component: module,
            arguments,
            environment,
            preopens: preopens.into_iter().map(folder).collect(),
            memory,
            requests: None,
            instances: None,
        }
    }
}

impl From<ServeCommand> for ComponentCommand {
    fn from(command: ServeCommand) -> Self {
        let ServeCommand { component, environment, preopens, reuse, instances, memory, graphs: _ } = command;
        Self { component, arguments: Vec::new(), environment, preopens, memory, requests: reuse, instances }
    }
}

/// Compiles the component and, if configured, starts its first instance.
pub(crate) async fn start(
    engine: Arc<Engine>,
    wasm: Vec<u8>,
    command: ComponentCommand,
    app: &crate::App,
    workload: &WorkloadContext,
    log: Arc<dyn AppLog>,
) -> Result<Arc<App>, ComponentError> {
    let compiler = engine.clone();
    let compiling = tokio::task::spawn_blocking(move || compiler.compile(&wasm));
    let compiled = log_if_slow(&app.id, compiling).await;
    let component = compiled.map_err(|gone| ComponentError::Compile(wasmtime::Error::new(gone)))??;
    let mut arguments = vec![command.component.display().to_string()];
    arguments.extend(command.arguments);
    let folder = |folder: Preopen| Preopen { host: app.working_dir.join(&folder.host), ..folder };
    let options = Options {
        arguments,
        environment: command.environment,
        preopens: command.preopens.into_iter().map(folder).collect(),
        limits: Limits {
            memory: command.memory.unwrap_or(app.limits.memory),
            busy: app.limits.busy,
            instances: command.instances,
            app_memory: app.limits.app_memory,
            queue: app.limits.queue,
            queue_timeout: app.limits.queue_timeout,
            request_timeout: app.limits.request_timeout,
        },
        requests: command.requests,
        graphs: workload.graphs.clone(),
        outbound: Arc::new(OutboundRouter {
            api: workload.api.clone(),
            dapr_port: workload.dapr_port,
            external: workload.external.clone(),
        }),
        output: Arc::new(NamedLog { app: app.id.clone(), log }),
        account: Account::new(app.weight),
    };
    let sidecar = workload.sidecar.clone();
    let imports = move || DaprImports(DaprWit::new(sidecar.clone()));
    Ok(Arc::new(HttpApp::new(&engine, app.id.clone(), &component, options, imports).await?))
}

/// Time limit for the next chunk of a request body. A slower client would keep an instance from others.
const BODY_CHUNK_TIMEOUT: Duration = Duration::from_secs(15);

/// Serves the application's port.
pub(crate) async fn serve(app: Arc<App>, listener: std::net::TcpListener, lifetime: Lifetime) {
    let listening = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
    let Ok(listener) = listening.inspect_err(|error| tracing::error!(%error, "the app port cannot be used")) else {
        return;
    };
    let serve = move |stream, peer: SocketAddr, finish: CancellationToken| {
        let app = app.clone();
        let answer = move |request: Request<Body>| {
            let app = app.clone();
            let request = request.map(|body| TimeoutBody::new(BODY_CHUNK_TIMEOUT, body).boxed_unsync());
            async move { app.handle(request, Some(peer.ip())).await }
        };
        dapr_api_http::serve_http(stream, finish, answer)
    };
    Port { name: "the application", listener, while_draining: false }.serve(lifetime, serve).await;
}

/// Routes the requests of a component app.
///
/// They go to its own Dapr API without a socket, or else outside as far as allowed.
struct OutboundRouter {
    api: Arc<DaprHttp>,
    dapr_port: u16,
    external: Arc<External>,
}

#[async_trait]
impl Outbound for OutboundRouter {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let uri = request.uri();
        let is_local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if is_local && uri.port_u16() == Some(self.dapr_port) {
            return Ok(self.api.handle(request).await);
        }
        self.external.fetch(request).await
    }
}
