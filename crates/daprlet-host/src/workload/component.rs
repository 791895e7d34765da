//! Component apps: their port, their Dapr imports and their outbound requests.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dapr_api_http::DaprHttp;
use dapr_api_wit::DaprWit;
use dapr_building_blocks::BoxError;
use dapr_runtime::{AppChannel, Body, InvokeError, Sidecar};
use guest_engine::Kind;
use guest_wasi_http::command::ServeCommand;
use guest_wasi_http::{Account, ComponentError, HttpApp, Imports, Limits, Options, Outbound, Preopen, State};
use guest_wasmedge::command::WasmEdgeCommand;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutBody;

use super::module::log_if_slow;
use super::{WorkloadContext, WorkloadRunner, graphs};
use crate::accept::Port;
use crate::app_spec::Command;
use crate::connection_pool::HOST_ADDRESS;
use crate::error::StartError;
use crate::lifetime::Lifetime;
use crate::log::NamedLog;
use crate::snapshot::InstanceGuard;

/// Option of `wasmtime serve` that names a directory of models.
const NN_GRAPH: &str = "-S nn,nn-graph=onnx::FOLDER";
/// Option of `wasmedge` that names a model.
const PRELOAD: &str = "--nn-preload NAME:ONNX:CPU:FILE";

/// Compiles and links component apps, with Dapr imports.
type Engine = guest_wasi_http::Engine<DaprImports>;

/// A running component app.
type App = HttpApp<DaprImports>;

/// Dapr imports of an instance, in addition to WASI.
struct DaprImports(DaprWit);

impl Imports for DaprImports {
    fn start_request(&mut self, peer: Option<IpAddr>) {
        self.0.set_peer(peer);
    }
}

/// Runs component apps. Their engine is created at first use.
pub(crate) struct ComponentRunner {
    cache: Option<PathBuf>,
    engine: Mutex<Option<Arc<Engine>>>,
}

impl ComponentRunner {
    pub(crate) const fn new(cache: Option<PathBuf>) -> Self {
        Self { cache, engine: Mutex::new(None) }
    }

    /// Returns the engine; `memory` is the maximum memory of an instance, in bytes.
    fn engine(&self, memory: usize) -> Result<Arc<Engine>, ComponentError> {
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

    /// Compiles the component and, if configured, starts its first instance.
    async fn create(&self, context: &WorkloadContext, wasm: Vec<u8>, options: Options) -> Result<App, ComponentError> {
        let app = &context.spec.id;
        let engine = self.engine(context.spec.workload.limits.memory)?;
        let compiler = engine.clone();
        let compiling = tokio::task::spawn_blocking(move || compiler.compile(&wasm));
        let compiled = log_if_slow(app, compiling).await;
        let component = compiled.map_err(|gone| ComponentError::Compile(wasmtime::Error::new(gone)))??;
        let sidecar = context.sidecar.clone();
        let imports = move || DaprImports(DaprWit::new(sidecar.clone()));
        HttpApp::new(&engine, app.clone(), &component, options, imports).await
    }
}

#[async_trait]
impl WorkloadRunner for ComponentRunner {
    fn accepts(&self, command: &Command, wasm: &[u8]) -> bool {
        match command {
            Command::Serve(_) => true,
            Command::WasmEdge(_) => guest_engine::kind(wasm) == Some(Kind::Component),
            Command::Process(_) | Command::None => false,
        }
    }

    async fn start(&self, mut context: WorkloadContext) -> Result<Arc<dyn AppChannel>, StartError> {
        let command = match &context.spec.workload.command {
            Command::WasmEdge(command) => ComponentCommand::from(command.clone()),
            Command::Serve(command) => ComponentCommand::from(command.clone()),
            other => return Err(StartError::unsupported(&context.spec.id, other)),
        };
        let listener = context.bind()?;
        let options = command.options(&context).await?;
        let wasm = std::mem::take(&mut context.wasm);
        let created = self.create(&context, wasm, options).await;
        let WorkloadContext { spec, path, lifetime, status, .. } = context;
        let app = created.map_err(|error| StartError::ComponentGuest { app: spec.id, path, reason: error.report() })?;
        let app = Arc::new(app);
        if let Some(listener) = listener {
            lifetime.spawn("app port", serve(app.clone(), listener, lifetime.clone()));
        }
        Ok(Arc::new(ComponentChannel { app, _counted: status.count_instance() }))
    }
}

/// The way to a component app: a function call.
struct ComponentChannel {
    app: Arc<App>,
    /// Instances come and go with requests; the application counts as one.
    _counted: InstanceGuard,
}

#[async_trait]
impl AppChannel for ComponentChannel {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        Ok(self.app.handle(request, Some(HOST_ADDRESS.ip())).await)
    }

    async fn ready(&self) {}
}

/// A component app as given on a command line.
struct ComponentCommand {
    component: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    preopens: Vec<Preopen>,
    memory: Option<usize>,
    requests: Option<u32>,
    instances: Option<usize>,
    /// Models by name and file, and the option that adds one.
    graphs: Vec<(String, PathBuf)>,
    graph_flag: &'static str,
}

impl ComponentCommand {
    /// Builds the options of the application's instances.
    async fn options(self, context: &WorkloadContext) -> Result<Options, StartError> {
        let workload = &context.spec.workload;
        let mut arguments = vec![self.component.display().to_string()];
        arguments.extend(self.arguments);
        let preopen = |preopen: Preopen| Preopen { host: workload.working_dir.join(&preopen.host), ..preopen };
        Ok(Options {
            arguments,
            environment: context.guest_environment(&self.environment),
            preopens: self.preopens.into_iter().map(preopen).collect(),
            limits: Limits {
                memory: self.memory.unwrap_or(workload.limits.memory),
                busy: workload.limits.busy,
                instances: self.instances,
                app_memory: workload.limits.app_memory,
                queue: workload.limits.queue,
                queue_timeout: workload.limits.queue_timeout,
                request_timeout: workload.limits.request_timeout,
            },
            requests: self.requests,
            graphs: graphs::load(context, self.graph_flag, &self.graphs).await?,
            outbound: Arc::new(OutboundRouter {
                api: context.api.clone(),
                dapr_port: context.dapr_port,
                sidecar: context.sidecar.clone(),
            }),
            output: Arc::new(NamedLog { app: context.spec.id.clone(), log: context.log.clone() }),
            account: Account::new(workload.weight),
        })
    }
}

impl From<WasmEdgeCommand> for ComponentCommand {
    fn from(command: WasmEdgeCommand) -> Self {
        let preopen = |it: guest_wasmedge::Preopen| Preopen { host: it.host, guest: it.guest, read_only: it.read_only };
        Self {
            component: command.module,
            arguments: command.arguments,
            environment: command.environment,
            preopens: command.preopens.into_iter().map(preopen).collect(),
            memory: command.memory,
            requests: None,
            instances: None,
            graphs: command.graphs,
            graph_flag: PRELOAD,
        }
    }
}

impl From<ServeCommand> for ComponentCommand {
    fn from(command: ServeCommand) -> Self {
        Self {
            component: command.component,
            arguments: Vec::new(),
            environment: command.environment,
            preopens: command.preopens,
            memory: command.memory,
            requests: command.reuse,
            instances: command.instances,
            graphs: command.graphs,
            graph_flag: NN_GRAPH,
        }
    }
}

/// Time limit for the next chunk of a request body. A slower client would keep an instance from others.
const BODY_CHUNK_TIMEOUT: Duration = Duration::from_secs(15);

/// Serves the application's port.
async fn serve(app: Arc<App>, listener: std::net::TcpListener, lifetime: Lifetime) {
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
    sidecar: Arc<Sidecar>,
}

#[async_trait]
impl Outbound for OutboundRouter {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let uri = request.uri();
        let is_local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if is_local && uri.port_u16() == Some(self.dapr_port) {
            return Ok(self.api.handle(request).await);
        }
        self.sidecar.external().fetch(request).await
    }
}
