//! One application as a component: its port, its face of Dapr, and what it reaches outside.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use building_blocks::BoxError;
use component_guest::command::ServeCommand;
use component_guest::{Account, Folder, HttpApp, Imports, Limits, Options, Outbound, State};
use dapr_http::DaprHttp;
use dapr_wit::DaprWit;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use sidecar::Body;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutBody;
use wasmedge_guest::command::WasmEdgeCommand;

use crate::accept::Port;
use crate::around::Around;
use crate::external::External;
use crate::guest_app::tell_if_slow;
use crate::lifetime::Lifetime;
use crate::log::{AppLog, NamedLog};

/// Compiles and links components whose instances are given Dapr.
type Engine = component_guest::Engine<Given>;

pub use component_guest::ComponentError;

/// A service that is a component.
pub(crate) type App = HttpApp<Given>;

/// What instances are given beside WASI.
pub(crate) struct Given(pub(crate) DaprWit);

impl Imports for Given {
    fn request_begins(&mut self, peer: Option<IpAddr>) {
        self.0.set_peer(peer);
    }
}

/// The engine of all components of a host.
pub(crate) struct LazyEngine {
    cache: Option<PathBuf>,
    made: Mutex<Option<Arc<Engine>>>,
}

impl LazyEngine {
    pub(crate) const fn new(cache: Option<PathBuf>) -> Self {
        Self { cache, made: Mutex::new(None) }
    }

    /// The engine; `memory` is the most that an instance of any component may have, in bytes.
    pub(crate) fn get(&self, memory: usize) -> Result<Arc<Engine>, ComponentError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*made {
            return Ok(engine.clone());
        }
        let link = |linker: &mut _| dapr_wit::add_to_linker(linker, |state: &mut State<Given>| &mut state.imports().0);
        let engine = Arc::new(Engine::new(self.cache.clone(), memory, link)?);
        Ok(made.insert(engine).clone())
    }
}

/// A component as a command line asks for it.
pub(crate) struct Wanted {
    pub(crate) component: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folders: Vec<Folder>,
    memory: Option<usize>,
    requests: Option<u32>,
    instances: Option<usize>,
}

impl Wanted {
    /// The same with another environment.
    pub(crate) fn with_environment(
        self,
        environment: impl FnOnce(Vec<(String, String)>) -> Vec<(String, String)>,
    ) -> Self {
        Self { environment: environment(self.environment), ..self }
    }
}

impl From<WasmEdgeCommand> for Wanted {
    fn from(command: WasmEdgeCommand) -> Self {
        let WasmEdgeCommand { module, arguments, environment, preopens, memory, .. } = command;
        let folder = |it: wasmedge_guest::Preopen| Folder { host: it.host, guest: it.guest, read_only: it.read_only };
        Self {
            component: module,
            arguments,
            environment,
            folders: preopens.into_iter().map(folder).collect(),
            memory,
            requests: None,
            instances: None,
        }
    }
}

impl From<ServeCommand> for Wanted {
    fn from(command: ServeCommand) -> Self {
        let ServeCommand { component, environment, folders, reuse, instances, memory, graphs: _ } = command;
        Self { component, arguments: Vec::new(), environment, folders, memory, requests: reuse, instances }
    }
}

/// Compiles the component and, where it wants that, starts its first instance.
pub(crate) async fn start(
    engine: Arc<Engine>,
    wasm: Vec<u8>,
    wanted: Wanted,
    app: &crate::App,
    around: &Around,
    log: Arc<dyn AppLog>,
) -> Result<Arc<App>, ComponentError> {
    let compiler = engine.clone();
    let compiling = tokio::task::spawn_blocking(move || compiler.compile(&wasm));
    let compiled = tell_if_slow(&app.id, compiling).await;
    let component = compiled.map_err(|gone| ComponentError::Compile(wasmtime::Error::new(gone)))??;
    let mut arguments = vec![wanted.component.display().to_string()];
    arguments.extend(wanted.arguments);
    let folder = |folder: Folder| Folder { host: app.working_dir.join(&folder.host), ..folder };
    let options = Options {
        arguments,
        environment: wanted.environment,
        folders: wanted.folders.into_iter().map(folder).collect(),
        limits: Limits {
            memory: wanted.memory.unwrap_or(app.limits.memory),
            busy: app.limits.busy,
            instances: wanted.instances,
            app_memory: app.limits.app_memory,
            queue: app.limits.queue,
            queue_timeout: app.limits.queue_timeout,
            request_timeout: app.limits.request_timeout,
        },
        requests: wanted.requests,
        graphs: around.graphs.clone(),
        outbound: Arc::new(Ways {
            api: around.api.clone(),
            dapr_port: around.dapr_port,
            external: around.external.clone(),
        }),
        output: Arc::new(NamedLog { app: app.id.clone(), log }),
        account: Account::new(app.weight),
    };
    let sidecar = around.sidecar.clone();
    let imports = move || Given(DaprWit::new(sidecar.clone()));
    Ok(Arc::new(HttpApp::new(&engine, app.id.clone(), &component, options, imports).await?))
}

/// How long the next piece of a body may take: whoever is slower would keep an instance from others.
const PATIENCE: Duration = Duration::from_secs(15);

/// Answers what arrives at the application's port.
pub(crate) async fn serve(app: Arc<App>, listener: std::net::TcpListener, lifetime: Lifetime) {
    let listening = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
    let Ok(listener) = listening.inspect_err(|error| tracing::error!(%error, "the app port cannot be used")) else {
        return;
    };
    let serve = move |stream, peer: SocketAddr, finish: CancellationToken| {
        let app = app.clone();
        let answer = move |request: Request<Body>| {
            let app = app.clone();
            let request = request.map(|body| TimeoutBody::new(PATIENCE, body).boxed_unsync());
            async move { app.handle(request, Some(peer.ip())).await }
        };
        dapr_http::speak(stream, finish, answer)
    };
    Port { name: "the application", listener, while_draining: false }.serve(lifetime, serve).await;
}

/// Where the requests of a component lead: to its own Dapr without a socket, and outside as far as it is allowed.
struct Ways {
    api: Arc<DaprHttp>,
    dapr_port: u16,
    external: Arc<External>,
}

#[async_trait]
impl Outbound for Ways {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let uri = request.uri();
        let is_local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if is_local && uri.port_u16() == Some(self.dapr_port) {
            return Ok(self.api.handle(request).await);
        }
        self.external.fetch(request).await
    }
}
