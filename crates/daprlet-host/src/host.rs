//! The host: all applications of `daprlet run`.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dapr_api_http::{DaprHttp, Options};
use dapr_building_blocks::component::Context;
use dapr_building_blocks::{Metadata, Registry};
use dapr_runtime::{AppConnection, Settings, Sidecar};
use guest_engine::{Kind, RejectionLog};
use guest_wasmedge::command::WasmEdgeCommand;
use guest_wasmedge::{AcceptQueue, Account, DescriptorBudget, Engine, MemoryAccount};
use inference::Library;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::accept::Port;
use crate::allow::{AllowList, AllowRule};
use crate::app::{App, Command};
use crate::component_app::{self, ComponentCommand, LazyEngine};
use crate::components::ComponentFactory;
use crate::directory::{Callee, Caller, Directory};
use crate::error::StartError;
use crate::external::External;
use crate::graphs;
use crate::guest_app::{self, GuestApp};
use crate::instances::Instances;
use crate::lifetime::{HostEvent, Lifetime};
use crate::local_registry::LocalRegistry;
use crate::log::AppLog;
use crate::network::GuestNetwork;
use crate::process_app::ProcessApp;
use crate::process_guard::{GuardCommand, ProcessGuard};
use crate::workload_context::WorkloadContext;
use crate::{app_health, input_bindings};

/// Settings shared by all applications of a host.
pub struct HostSettings {
    /// Engine that runs WasmEdge modules.
    pub engine: Arc<Engine>,
    /// Directory of compiled component apps.
    pub cache: Option<PathBuf>,
    /// Registry that creates components.
    pub registry: Arc<Registry>,
    /// Context passed to components; the app id is added.
    pub context: Context,
    /// Address on which all ports listen.
    pub listen_address: IpAddr,
    /// Addresses that guests may reach, in addition to those that their configuration names.
    pub allow: Vec<AllowRule>,
    /// Destination of the applications' output lines.
    pub log: Arc<dyn AppLog>,
    /// Registry of applications in other processes of this machine.
    pub local_registry: Option<LocalRegistry>,
    /// Time for requests under way when one application is asked to shut down.
    pub graceful: Duration,
    /// Command that starts the guard, which ends native applications should this process be killed.
    pub guard: Option<GuardCommand>,
}

/// A host with its running applications.
pub struct Host {
    settings: HostSettings,
    component_engine: LazyEngine,
    /// Models of all guests.
    library: Arc<Library>,
    directory: Arc<Directory>,
    guard: Arc<ProcessGuard>,
    lifetime: Lifetime,
}

/// One application of a running host.
pub struct RunningApp {
    /// App id.
    pub id: String,
    /// App address, if it has a port.
    pub address: Option<SocketAddr>,
    /// Address of its Dapr API.
    pub dapr_address: SocketAddr,
    /// The application's sidecar.
    pub sidecar: Arc<Sidecar>,
    /// True if this host runs the application, false if another process does.
    pub started_here: bool,
}

impl Host {
    /// Creates a host without applications; returns it with its events.
    ///
    /// Once `shutdown` is cancelled it accepts no new connections; [`end`](Self::end) does the rest.
    #[must_use]
    pub fn new(settings: HostSettings, shutdown: CancellationToken) -> (Self, mpsc::UnboundedReceiver<HostEvent>) {
        let component_engine = LazyEngine::new(settings.cache.clone());
        let guard = Arc::new(ProcessGuard::new(settings.guard.clone()));
        let (lifetime, events) = Lifetime::new(shutdown);
        let (library, directory) = Default::default();
        (Self { settings, component_engine, library, directory, guard, lifetime }, events)
    }

    /// Starts one application.
    ///
    /// On return its ports are bound and its components created; the application itself may take a moment longer.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(&self, app: App) -> Result<RunningApp, StartError> {
        let lifetime = self.lifetime.child();
        let api_listener = self.bind(&app.id, "the Dapr API", app.dapr_http_port).await?;
        let dapr_address = api_listener
            .local_addr()
            .map_err(|source| port_error(&app.id, "the Dapr API", self.address(app.dapr_http_port), source))?;
        let callee = Arc::new(Callee::new(&app));
        self.directory.add(app.id.clone(), callee.clone());
        let allow = Arc::new(AllowList::new(self.allowed(&app.command)));
        let external = Arc::new(External::new(allow.clone()));
        let sidecar = Arc::new(self.sidecar(&app, external.clone(), &lifetime));
        let options = Options {
            max_body_size: app.max_body_size,
            read_buffer_size: app.read_buffer_size,
            token: app.api_token.clone(),
            allowed_origins: app.allowed_origins.clone(),
            access: app.api_access.clone(),
            is_public: false,
            has_pipeline: !app.http_pipeline.is_empty(),
            logs_calls: app.logs_api_calls,
        };
        if let Some(port) = app.public_port {
            self.serve_public(&app.id, port, &sidecar, &options, &lifetime).await?;
        }
        let api = Arc::new(DaprHttp::new(sidecar.clone(), options));
        let served = api.clone();
        let serve = move |stream, peer, finish| dapr_api_http::serve_peer(served.clone(), stream, peer, finish);
        // Requests under way may need their sidecar to finish.
        let port = Port { name: "the Dapr API", listener: api_listener, while_draining: true };
        lifetime.spawn("Dapr API", port.serve(lifetime.clone(), serve));
        self.create_components(&app, &sidecar, &external, &api, &callee, &lifetime).await?;
        allow.extend(named_by_secrets(&sidecar).await);
        let running = RunningApp {
            id: app.id.clone(),
            address: app.port.map(|port| self.address(port)),
            dapr_address,
            sidecar: sidecar.clone(),
            started_here: !matches!(app.command, Command::None),
        };
        let has_port = app.port.is_some();
        let graphs = graphs::load(&self.library, &app).await?;
        let workload = WorkloadContext {
            dapr_port: dapr_address.port(),
            sidecar: sidecar.clone(),
            api,
            external,
            callee: callee.clone(),
            allow,
            graphs,
            lifetime: lifetime.clone(),
        };
        if let Some(registry) = self.settings.local_registry.as_ref().filter(|_| has_port) {
            registry.register(app.id.clone(), callee.clone(), &lifetime).await;
        }
        self.run(app, workload).await?;
        self.lifetime.spawn("shutdown", self.end_when_asked(running.id.clone(), lifetime.clone()));
        lifetime.spawn("readiness", become_ready(sidecar, callee, has_port, lifetime.draining.clone()));
        Ok(running)
    }

    /// Serves health and metadata on a port of their own, without an API token.
    async fn serve_public(
        &self,
        app: &str,
        port: u16,
        sidecar: &Arc<Sidecar>,
        options: &Options,
        lifetime: &Lifetime,
    ) -> Result<(), StartError> {
        let listener = self.bind(app, "the public API (--dapr-public-port)", port).await?;
        let options = Options { is_public: true, token: None, ..options.clone() };
        let api = Arc::new(DaprHttp::new(sidecar.clone(), options));
        let serve = move |stream, peer, finish| dapr_api_http::serve_peer(api.clone(), stream, peer, finish);
        let port = Port { name: "the public API", listener, while_draining: true };
        lifetime.spawn("public API", port.serve(lifetime.clone(), serve));
        Ok(())
    }

    /// Ends the application `id` alone, once its Dapr API is asked to shut down.
    fn end_when_asked(&self, id: String, lifetime: Lifetime) -> impl Future<Output = ()> + Send + use<> {
        let (host, directory, graceful) = (self.lifetime.clone(), self.directory.clone(), self.settings.graceful);
        async move {
            lifetime.draining.cancelled().await;
            if host.draining.is_cancelled() {
                return;
            }
            lifetime.end(graceful).await;
            directory.remove(&id);
            tracing::info!(app = %id, "application ended");
            host.send(HostEvent::ShutDown { app: id });
        }
    }

    /// Finishes the requests under way, for at most `graceful`, then ends everything.
    pub async fn end(&self, graceful: Duration) {
        self.lifetime.end(graceful).await;
    }

    /// Selects the allow rules for outbound requests.
    ///
    /// A process has the network of the system, so its sidecar need not be narrower.
    fn allowed(&self, command: &Command) -> Vec<AllowRule> {
        match command {
            Command::WasmEdge(_) => self.settings.allow.clone(),
            #[cfg(feature = "component-apps")]
            Command::Serve(_) => self.settings.allow.clone(),
            Command::Process(_) | Command::None => vec![AllowRule::any()],
        }
    }

    fn sidecar(&self, app: &App, external: Arc<External>, lifetime: &Lifetime) -> Sidecar {
        Sidecar::new(Settings {
            app_id: app.id.clone(),
            connection: AppConnection {
                port: app.port.unwrap_or_default(),
                protocol: "http".to_owned(),
                channel_address: "127.0.0.1".to_owned(),
                max_concurrency: app.max_concurrency,
            },
            secret_scopes: app.secret_scopes.clone(),
            http_endpoints: app.http_endpoints.iter().map(|endpoint| endpoint.name.clone()).collect(),
            invoker: Arc::new(Caller {
                id: app.id.clone(),
                directory: self.directory.clone(),
                external,
                registry: self.settings.local_registry.clone(),
            }),
            bodies: app.bodies,
            shutdown: lifetime.draining.clone(),
            forced_shutdown: lifetime.forced.clone(),
            enabled_features: app.enabled_features.clone(),
        })
    }

    async fn create_components(
        &self,
        app: &App,
        sidecar: &Arc<Sidecar>,
        external: &External,
        api: &DaprHttp,
        callee: &Callee,
        lifetime: &Lifetime,
    ) -> Result<(), StartError> {
        // The Dapr CLI starts each sidecar in its application's directory, so relative paths start there.
        let base_dir = app.working_dir.clone();
        let context = Context { app_id: app.id.clone(), base_dir, ..self.settings.context.clone() };
        let factory = ComponentFactory { registry: self.settings.registry.clone(), context };
        let made = factory.create(&app.components).await?;
        api.set_pipeline(factory.pipeline(&app.http_pipeline, &app.middleware, &made).await?);
        callee.set_pipeline(factory.pipeline(&app.app_http_pipeline, &app.middleware, &made).await?);
        external.set_endpoints(factory.endpoints(&app.http_endpoints, &made).await?);
        sidecar.set_components(made.components());
        sidecar.health().components_are_ready(true);
        if !made.waiting.is_empty() {
            lifetime.spawn("components", factory.retry(made, sidecar.clone(), lifetime.draining.clone()));
        }
        Ok(())
    }

    async fn run(&self, app: App, workload: WorkloadContext) -> Result<(), StartError> {
        match app.command.clone() {
            Command::None => self.reach_by_tcp(&workload.callee, app.port),
            Command::Process(command) => {
                self.reach_by_tcp(&workload.callee, app.port);
                let mut environment = dapr_environment(&app, workload.dapr_port);
                environment.extend(app.environment);
                let (log, working_dir) = (self.settings.log.clone(), app.working_dir);
                let (guard, ends_run) = (self.guard.clone(), app.ends_run);
                let process = ProcessApp { app: app.id, command, working_dir, environment, log, guard, ends_run };
                workload.lifetime.spawn("native application", process.supervise(workload.lifetime.clone()));
            }
            Command::WasmEdge(command) => {
                let (path, wasm) = read(&app, &command.module).await?;
                if guest_engine::kind(&wasm) == Some(Kind::Component) {
                    return self.run_component(app, path, wasm, command.into(), workload).await;
                }
                self.run_module(app, path, wasm, command, workload).await?;
            }
            #[cfg(feature = "component-apps")]
            Command::Serve(command) => {
                let command = ComponentCommand::from(command);
                let (path, wasm) = read(&app, &command.component).await?;
                self.run_component(app, path, wasm, command, workload).await?;
            }
        }
        Ok(())
    }

    async fn run_module(
        &self,
        app: App,
        path: PathBuf,
        wasm: Vec<u8>,
        command: WasmEdgeCommand,
        workload: WorkloadContext,
    ) -> Result<(), StartError> {
        let engine = &self.settings.engine;
        let environment = guest_environment(&app, workload.dapr_port, command.environment);
        let command = WasmEdgeCommand { environment, ..command };
        let module = guest_app::compile(engine, &app.id, &path, wasm).await?;
        let (queue, queue_timeout) =
            (AcceptQueue::with_capacity(app.instances, app.limits.queue), app.limits.queue_timeout);
        let listener = self.bind_app(&app)?;
        workload.callee.channel.set_inside(queue.clone());
        let network = Arc::new(GuestNetwork {
            app: app.id.clone(),
            queue: app.port.map(|port| (port, queue.clone())),
            port_origin: app.port_origin.clone(),
            dapr_port: workload.dapr_port,
            api: workload.api,
            allow: workload.allow,
            shutdown: workload.lifetime.stopped.clone(),
            denied: Default::default(),
        });
        let guest = Arc::new(GuestApp {
            app: app.id,
            engine: engine.clone(),
            path,
            module,
            command,
            working_dir: app.working_dir,
            descriptors: DescriptorBudget::new(app.limits.descriptors),
            memory: MemoryAccount::new(app.limits.app_memory),
            is_replaceable: app.instances > 1,
            callee: workload.callee.clone(),
            limits: app.limits,
            account: Account::new(app.weight),
            network,
            graphs: workload.graphs,
            log: self.settings.log.clone(),
        });
        if let Some(listener) = listener {
            let more = Instances {
                guest: guest.clone(),
                queue,
                max_instances: app.instances,
                queue_timeout,
                rejections: RejectionLog::default(),
            };
            workload.lifetime.spawn("app port", more.run(listener, workload.lifetime.clone()));
        }
        workload.lifetime.spawn("guest", guest.supervise(workload.lifetime.clone(), app.ends_run));
        Ok(())
    }

    async fn run_component(
        &self,
        app: App,
        path: PathBuf,
        wasm: Vec<u8>,
        command: ComponentCommand,
        workload: WorkloadContext,
    ) -> Result<(), StartError> {
        let listener = self.bind_app(&app)?;
        let command = command.with_environment(|own| guest_environment(&app, workload.dapr_port, own));
        let started = match self.component_engine.get(app.limits.memory) {
            Ok(engine) => component_app::start(engine, wasm, command, &app, &workload, self.settings.log.clone()).await,
            Err(error) => Err(error),
        };
        let http = started.map_err(|source| StartError::ComponentGuest { app: app.id, path, source })?;
        workload.callee.channel.set_component(http.clone());
        if let Some(listener) = listener {
            workload.lifetime.spawn("app port", component_app::serve(http, listener, workload.lifetime.clone()));
        }
        Ok(())
    }

    fn reach_by_tcp(&self, callee: &Callee, port: Option<u16>) {
        if let Some(port) = port {
            callee.channel.set_tcp(SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), port));
        }
    }

    fn address(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.settings.listen_address, port)
    }

    async fn bind(&self, app: &str, what: &'static str, port: u16) -> Result<TcpListener, StartError> {
        let address = self.address(port);
        TcpListener::bind(address).await.map_err(|source| port_error(app, what, address, source))
    }

    /// Binds the application's port, for a guest that has one.
    fn bind_app(&self, app: &App) -> Result<Option<std::net::TcpListener>, StartError> {
        let Some(port) = app.port else { return Ok(None) };
        let address = self.address(port);
        let bound = std::net::TcpListener::bind(address);
        bound.map(Some).map_err(|source| port_error(&app.id, "the application", address, source))
    }
}

/// Reads the file of a guest; a relative path starts at the application's directory.
async fn read(app: &App, file: &Path) -> Result<(PathBuf, Vec<u8>), StartError> {
    let path = app.working_dir.join(file);
    match tokio::fs::read(&path).await {
        Ok(wasm) => Ok((path, wasm)),
        Err(source) => Err(StartError::Module { app: app.id.clone(), path, source }),
    }
}

fn port_error(app: &str, what: &'static str, address: SocketAddr, source: std::io::Error) -> StartError {
    StartError::Port { app: app.to_owned(), what, address, source }
}

async fn become_ready(sidecar: Arc<Sidecar>, callee: Arc<Callee>, has_port: bool, shutdown: CancellationToken) {
    if has_port {
        tokio::select! {
            () = callee.channel.wait_until_reachable() => {}
            () = shutdown.cancelled() => return,
        }
        if callee.health.is_some() {
            tokio::spawn(app_health::watch(sidecar.clone(), callee, shutdown));
        } else {
            input_bindings::run(sidecar.clone(), callee, shutdown).await;
        }
    }
    sidecar.health().application_is_ready(true);
}

/// Builds the environment that `dapr run` gives an application: `dapr/cli/pkg/standalone/run.go`.
fn dapr_environment(app: &App, dapr_port: u16) -> Vec<(String, String)> {
    let mut environment = vec![
        ("APP_ID".to_owned(), app.id.clone()),
        ("APP_CHANNEL_ADDRESS".to_owned(), "127.0.0.1".to_owned()),
        ("APP_PROTOCOL".to_owned(), "http".to_owned()),
        ("DAPR_HTTP_PORT".to_owned(), dapr_port.to_string()),
    ];
    environment.extend(app.port.map(|port| ("APP_PORT".to_owned(), port.to_string())));
    environment
}

/// Builds the environment of a guest: Dapr's, overridden by its command line.
///
/// As in WasmEdge, the template's `env` and the host's own environment do not reach it.
fn guest_environment(app: &App, dapr_port: u16, own: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut environment = dapr_environment(app, dapr_port);
    environment.retain(|(name, _)| !own.iter().any(|(other, _)| other == name));
    environment.extend(own);
    environment
}

/// Collects the addresses in an application's secrets.
///
/// A service that is given a database's URL is meant to reach it.
async fn named_by_secrets(sidecar: &Sidecar) -> Vec<AllowRule> {
    let mut rules = Vec::new();
    for component in sidecar.components().loaded() {
        // The environment is not configuration: it has whatever the user's shell happens to set.
        if !component.type_.starts_with("secretstores.") || component.type_ == "secretstores.local.env" {
            continue;
        }
        if let Ok(secrets) = sidecar.secrets(&component.name, &Metadata::new()).await {
            let values = secrets.values().flat_map(|values| values.values());
            rules.extend(values.filter_map(|value| AllowRule::from_url(value.expose())));
        }
    }
    rules
}
