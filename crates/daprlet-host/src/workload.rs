//! Programs of applications: how each kind is started, and how requests reach it.

#[cfg(feature = "component-apps")]
mod component;
mod graphs;
mod module;
mod outside;
mod process;
mod restarts;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use dapr_api_http::DaprHttp;
use dapr_runtime::{AllowList, AppChannel, Sidecar};
use inference::Library;

pub use self::process::guard::{GuardCommand, guard_processes};
use crate::HostSettings;
use crate::app_spec::{AppSpec, Command};
use crate::error::StartError;
use crate::lifetime::Lifetime;
use crate::log::AppLog;
use crate::snapshot::AppStatus;

/// Starts applications of one kind.
#[async_trait]
pub(crate) trait WorkloadRunner: Send + Sync {
    /// Returns whether this kind of program is the one of `command`; `wasm` has its bytes if it is WebAssembly.
    fn accepts(&self, command: &Command, wasm: &[u8]) -> bool;

    /// Starts the application, which runs until its lifetime ends, and returns the way to it.
    async fn start(&self, context: WorkloadContext) -> Result<Arc<dyn AppChannel>, StartError>;
}

/// Returns the runners of this build.
pub(crate) fn runners(settings: &HostSettings) -> Vec<Box<dyn WorkloadRunner>> {
    vec![
        Box::new(module::ModuleRunner::new(settings.engine.clone())),
        #[cfg(feature = "component-apps")]
        Box::new(component::ComponentRunner::new(settings.cache.clone())),
        Box::new(process::ProcessRunner::new(settings.guard.clone())),
        Box::new(outside::OutsideRunner),
    ]
}

/// An application that is about to start.
pub(crate) struct WorkloadContext {
    pub(crate) spec: AppSpec,
    /// Path and bytes of its WebAssembly file; empty for other programs.
    pub(crate) path: PathBuf,
    pub(crate) wasm: Vec<u8>,
    /// Address of its port, if it has one.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) dapr_port: u16,
    #[cfg_attr(not(feature = "component-apps"), expect(dead_code, reason = "modules reach it by its port"))]
    pub(crate) sidecar: Arc<Sidecar>,
    pub(crate) api: Arc<DaprHttp>,
    /// Outside addresses that it may reach.
    pub(crate) allow: Arc<AllowList>,
    /// Models of all guests.
    pub(crate) library: Arc<Library>,
    pub(crate) log: Arc<dyn AppLog>,
    pub(crate) status: Arc<AppStatus>,
    /// Ends when its Dapr API is asked to shut down, or with the host.
    pub(crate) lifetime: Lifetime,
}

impl WorkloadContext {
    /// Binds the application's port, if it has one.
    pub(crate) fn bind(&self) -> Result<Option<std::net::TcpListener>, StartError> {
        let Some(address) = self.address else { return Ok(None) };
        let bound = std::net::TcpListener::bind(address);
        bound.map(Some).map_err(|source| StartError::port(&self.spec.id, "the application", address, source))
    }

    /// Builds the environment that `dapr run` gives an application: `dapr/cli/pkg/standalone/run.go`.
    pub(crate) fn dapr_environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("APP_ID".to_owned(), self.spec.id.clone()),
            ("APP_CHANNEL_ADDRESS".to_owned(), "127.0.0.1".to_owned()),
            ("APP_PROTOCOL".to_owned(), "http".to_owned()),
            ("DAPR_HTTP_PORT".to_owned(), self.dapr_port.to_string()),
        ];
        environment.extend(self.spec.port.map(|port| ("APP_PORT".to_owned(), port.to_string())));
        environment
    }

    /// Builds the environment of a guest: Dapr's, overridden by its command line.
    ///
    /// As in WasmEdge, the template's `env` and the host's own environment do not reach it.
    pub(crate) fn guest_environment(&self, own: &[(String, String)]) -> Vec<(String, String)> {
        let mut environment = self.dapr_environment();
        environment.retain(|(name, _)| !own.iter().any(|(other, _)| other == name));
        environment.extend_from_slice(own);
        environment
    }
}

/// Reads the program of `command` if it is WebAssembly; a relative path starts at the application's directory.
pub(crate) async fn read_wasm(spec: &AppSpec) -> Result<(PathBuf, Vec<u8>), StartError> {
    let Some(file) = spec.workload.command.wasm_file() else { return Ok(Default::default()) };
    let path = spec.workload.working_dir.join(file);
    match tokio::fs::read(&path).await {
        Ok(wasm) => Ok((path, wasm)),
        Err(source) => Err(StartError::Module { app: spec.id.clone(), path, source }),
    }
}

impl Command {
    /// Path of the WebAssembly file that it runs.
    fn wasm_file(&self) -> Option<&Path> {
        match self {
            Self::WasmEdge(command) => Some(&command.module),
            #[cfg(feature = "component-apps")]
            Self::Serve(command) => Some(&command.component),
            Self::Process(_) | Self::None => None,
        }
    }
}
