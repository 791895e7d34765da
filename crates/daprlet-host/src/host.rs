//! The host: all applications of `daprlet run`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dapr_api_http::{DaprHttp, Options};
use dapr_building_blocks::component::Context;
use dapr_building_blocks::{Metadata, Registry};
use dapr_runtime::{
    AllowList, AllowRule, App, AppConnection, AppResources, AppSettings, ComponentFactory, External, Settings, Sidecar,
};
use guest_wasmedge::Engine;
use inference::Library;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::accept::Port;
use crate::app_spec::{AppSpec, Command};
use crate::directory::HostDirectory;
use crate::error::StartError;
use crate::lifetime::{HostEvent, Lifetime};
use crate::local_registry::LocalRegistry;
use crate::log::AppLog;
use crate::snapshot::{AppSnapshot, AppStatus};
use crate::workload::{self, GuardCommand, WorkloadContext, WorkloadRunner};

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
    runners: Vec<Box<dyn WorkloadRunner>>,
    settings: HostSettings,
    /// Models of all guests.
    library: Arc<Library>,
    directory: Arc<HostDirectory>,
    running: Arc<Mutex<Vec<Supervised>>>,
    /// Parts of applications that changes of their files reach, by app id.
    reloadable: Arc<Mutex<BTreeMap<String, Reloadable>>>,
    lifetime: Lifetime,
}

/// An application, and what its supervisor reports.
type Supervised = (RunningApp, Arc<AppStatus>);

/// Parts of an application that changes of its files reach.
#[derive(Clone)]
struct Reloadable {
    sidecar: Arc<Sidecar>,
    api: Arc<DaprHttp>,
    sender: mpsc::Sender<AppResources>,
}

/// One application of a running host.
#[derive(Clone)]
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
        let (lifetime, events) = Lifetime::new(shutdown);
        let runners = workload::runners(&settings);
        let directory = Arc::new(HostDirectory::new(settings.local_registry.clone()));
        let (library, running, reloadable) = Default::default();
        (Self { runners, settings, library, directory, running, reloadable, lifetime }, events)
    }

    /// Starts one application: its Dapr API, its components, its program.
    ///
    /// On return its ports are bound and its components created; the application itself may take a moment longer.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(&self, spec: AppSpec) -> Result<RunningApp, StartError> {
        let lifetime = self.lifetime.child();
        let listener = self.bind(&spec.id, "the Dapr API", spec.api.port).await?;
        let dapr_address = listener
            .local_addr()
            .map_err(|source| StartError::port(&spec.id, "the Dapr API", self.address(spec.api.port), source))?;
        let allow = Arc::new(AllowList::new(self.allowed(&spec.workload.command)));
        let sidecar = Arc::new(self.sidecar(&spec, &allow, &lifetime));
        self.directory.add(spec.id.clone(), sidecar.app().clone());
        let api = self.serve_api(&spec, listener, &sidecar, &lifetime).await?;
        self.load_resources(&spec, &sidecar, &api, &allow, &lifetime).await?;
        let running = RunningApp {
            id: spec.id.clone(),
            address: spec.port.map(|port| self.address(port)),
            dapr_address,
            sidecar: sidecar.clone(),
            started_here: !matches!(spec.workload.command, Command::None),
        };
        if let Some(registry) = self.settings.local_registry.as_ref().filter(|_| spec.port.is_some()) {
            registry.register(spec.id.clone(), sidecar.app().clone(), &lifetime).await;
        }
        self.run(spec, &running, api, allow, &lifetime).await?;
        self.lifetime.spawn("shutdown", self.end_when_asked(running.id.clone(), lifetime.clone()));
        lifetime.spawn_under_way(sidecar.clone().finish_deliveries(lifetime.draining.clone()));
        lifetime.spawn("outbox", sidecar.clone().relay_outboxes(lifetime.draining.clone()));
        lifetime.spawn("readiness", sidecar.serve_app(lifetime.draining.clone()));
        Ok(running)
    }

    /// Returns the state of all applications that have not ended, in the order in which they were started.
    #[must_use]
    pub fn snapshot(&self) -> Vec<AppSnapshot> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = |(app, status): &Supervised| AppSnapshot {
            id: app.id.clone(),
            address: app.address,
            dapr_address: app.dapr_address,
            is_ready: app.sidecar.health().all(),
            instances: status.instances(),
            restarts: status.restarts(),
            last_error: status.last_error(),
        };
        running.iter().map(snapshot).collect()
    }

    /// Finishes the requests under way, for at most `graceful`, then ends everything.
    pub async fn end(&self, graceful: Duration) {
        self.lifetime.end(graceful).await;
    }

    /// Ends the application `id` alone, once its Dapr API is asked to shut down.
    fn end_when_asked(&self, id: String, lifetime: Lifetime) -> impl Future<Output = ()> + Send + use<> {
        let (host, directory, graceful) = (self.lifetime.clone(), self.directory.clone(), self.settings.graceful);
        let (running, reloadable) = (self.running.clone(), self.reloadable.clone());
        async move {
            lifetime.draining.cancelled().await;
            if host.draining.is_cancelled() {
                return;
            }
            lifetime.end(graceful).await;
            directory.remove(&id);
            reloadable.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            running.lock().unwrap_or_else(PoisonError::into_inner).retain(|(app, _)| app.id != id);
            tracing::info!(app = %id, "application ended");
            host.send(HostEvent::ShutDown { app: id });
        }
    }

    /// Selects the allow rules for outbound requests.
    ///
    /// A process has the network of the system, so its sidecar need not be narrower.
    fn allowed(&self, command: &Command) -> Vec<AllowRule> {
        match command {
            Command::Process(_) | Command::None => vec![AllowRule::any()],
            _ => self.settings.allow.clone(),
        }
    }

    fn sidecar(&self, spec: &AppSpec, allow: &Arc<AllowList>, lifetime: &Lifetime) -> Sidecar {
        let runtime = &spec.runtime;
        let app = App::new(AppSettings {
            port: spec.port,
            token: runtime.app_token.clone(),
            max_concurrency: runtime.max_concurrency,
            access_control: runtime.access_control.clone(),
            health_check: runtime.health_check.clone(),
            request_timeout: spec.workload.limits.request_timeout,
        });
        Sidecar::new(Settings {
            app_id: spec.id.clone(),
            connection: AppConnection {
                port: spec.port.unwrap_or_default(),
                protocol: "http".to_owned(),
                channel_address: "127.0.0.1".to_owned(),
                max_concurrency: runtime.max_concurrency,
            },
            app: Arc::new(app),
            directory: self.directory.clone(),
            external: Arc::new(External::new(allow.clone())),
            secret_scopes: runtime.secret_scopes.clone(),
            enabled_features: runtime.enabled_features.clone(),
            bodies: runtime.bodies,
            shutdown: lifetime.draining.clone(),
            forced_shutdown: lifetime.forced.clone(),
        })
    }

    /// Serves the Dapr API, and on the public port health and metadata without an API token.
    async fn serve_api(
        &self,
        spec: &AppSpec,
        listener: TcpListener,
        sidecar: &Arc<Sidecar>,
        lifetime: &Lifetime,
    ) -> Result<Arc<DaprHttp>, StartError> {
        let has_pipeline = !spec.runtime.resources.http_pipeline.is_empty();
        let options = Options { has_pipeline, ..spec.api.options.clone() };
        if let Some(port) = spec.api.public_port {
            let listener = self.bind(&spec.id, "the public API (--dapr-public-port)", port).await?;
            let options = Options { is_public: true, token: None, ..options.clone() };
            serve(Arc::new(DaprHttp::new(sidecar.clone(), options)), "the public API", listener, lifetime);
        }
        let api = Arc::new(DaprHttp::new(sidecar.clone(), options));
        serve(api.clone(), "the Dapr API", listener, lifetime);
        Ok(api)
    }

    async fn load_resources(
        &self,
        spec: &AppSpec,
        sidecar: &Arc<Sidecar>,
        api: &Arc<DaprHttp>,
        allow: &Arc<AllowList>,
        lifetime: &Lifetime,
    ) -> Result<(), StartError> {
        // The Dapr CLI starts each sidecar in its application's directory, so relative paths start there.
        let base_dir = spec.workload.working_dir.clone();
        let context = Context { app_id: spec.id.clone(), base_dir, ..self.settings.context.clone() };
        let factory = ComponentFactory { registry: self.settings.registry.clone(), context };
        let created = factory.load(spec.runtime.resources.clone(), sidecar).await?;
        allow.extend(named_by_secrets(sidecar).await);
        let (sender, changes) = mpsc::channel(1);
        let reloadable = Reloadable { sidecar: sidecar.clone(), api: api.clone(), sender };
        self.reloadable.lock().unwrap_or_else(PoisonError::into_inner).insert(spec.id.clone(), reloadable);
        let shutdown = lifetime.draining.clone();
        lifetime.spawn("components", factory.maintain(created, sidecar.clone(), changes, shutdown.clone()));
        let (sidecar, allow, mut changes) = (sidecar.clone(), allow.clone(), sidecar.component_changes());
        lifetime.spawn("allowed addresses", async move {
            while let Some(Ok(())) = shutdown.run_until_cancelled(changes.changed()).await {
                allow.extend(named_by_secrets(&sidecar).await);
            }
        });
        Ok(())
    }

    /// Replaces the resources of a running application, and what its Configuration says, by those of `spec`, as far as
    /// they are valid. Its program and ports stay.
    pub async fn reload(&self, spec: AppSpec) {
        let found = self.reloadable.lock().unwrap_or_else(PoisonError::into_inner).get(&spec.id).cloned();
        let Some(Reloadable { sidecar, api, sender }) = found else { return };
        let Options { access, logs_calls, .. } = spec.api.options;
        api.set_access(access, logs_calls);
        sidecar.set_secret_scopes(spec.runtime.secret_scopes);
        sidecar.app().set_access_control(spec.runtime.access_control);
        // An application that has ended needs no resources.
        let _ = sender.send(spec.runtime.resources).await;
    }

    /// Starts the program of an application.
    async fn run(
        &self,
        spec: AppSpec,
        running: &RunningApp,
        api: Arc<DaprHttp>,
        allow: Arc<AllowList>,
        lifetime: &Lifetime,
    ) -> Result<(), StartError> {
        let (path, wasm) = workload::read_wasm(&spec).await?;
        let command = &spec.workload.command;
        let runner = self.runners.iter().find(|runner| runner.accepts(command, &wasm));
        let runner = runner.ok_or_else(|| StartError::unsupported(&spec.id, command))?;
        let status = Arc::<AppStatus>::default();
        let channel = runner.start(WorkloadContext {
            spec,
            path,
            wasm,
            address: running.address,
            dapr_port: running.dapr_address.port(),
            sidecar: running.sidecar.clone(),
            api,
            allow,
            library: self.library.clone(),
            log: self.settings.log.clone(),
            status: status.clone(),
            lifetime: lifetime.clone(),
        });
        running.sidecar.app().set_channel(channel.await?);
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push((running.clone(), status));
        Ok(())
    }

    fn address(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.settings.listen_address, port)
    }

    async fn bind(&self, app: &str, what: &'static str, port: u16) -> Result<TcpListener, StartError> {
        let address = self.address(port);
        TcpListener::bind(address).await.map_err(|source| StartError::port(app, what, address, source))
    }
}

/// Serves `api` on a port.
fn serve(api: Arc<DaprHttp>, name: &'static str, listener: TcpListener, lifetime: &Lifetime) {
    let serve = move |stream, peer, finish| dapr_api_http::serve_peer(api.clone(), stream, peer, finish);
    // Requests under way may need their sidecar to finish.
    let port = Port { name, listener, while_draining: true };
    lifetime.spawn(name, port.serve(lifetime.clone(), serve));
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
