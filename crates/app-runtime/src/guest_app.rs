//! One application as a guest: compiled, run, and run again when it ends without being asked to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use inference::Graphs;
use tokio_util::sync::CancellationToken;
use wasmedge_guest::command::WasmEdgeCommand;
use wasmedge_guest::{Activity, Engine, GuestError, GuestOptions, Limits, Preopen};

use crate::backoff::Backoff;
use crate::error::StartError;
use crate::log::{AppLog, NamedLog};
use crate::network::GuestNetwork;

/// A guest and everything it is given at each start.
pub(crate) struct GuestApp {
    pub(crate) app: String,
    pub(crate) engine: Arc<Engine>,
    pub(crate) path: PathBuf,
    pub(crate) module: wasmtime::Module,
    pub(crate) command: WasmEdgeCommand,
    pub(crate) working_dir: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) network: Arc<GuestNetwork>,
    pub(crate) graphs: Arc<Graphs>,
    pub(crate) log: Arc<dyn AppLog>,
}

/// Compiles the module of an application.
pub(crate) async fn compile(
    engine: &Arc<Engine>,
    app: &str,
    path: &Path,
    wasm: Vec<u8>,
) -> Result<wasmtime::Module, StartError> {
    let engine = engine.clone();
    let compiled = tokio::task::spawn_blocking(move || engine.compile(&wasm)).await.map_err(StartError::Task)?;
    compiled.map_err(|source| StartError::Guest { app: app.to_owned(), path: path.to_owned(), source })
}

impl GuestApp {
    /// Runs one instance of the guest to its end.
    pub(crate) async fn run(&self, activity: Arc<Activity>) -> Result<i32, GuestError> {
        wasmedge_guest::run(&self.engine, &self.module, self.options(activity)).await
    }

    /// Runs an instance until `shutdown`. It is started again when it traps or exits, with a growing pause in between.
    pub(crate) async fn supervise(self: Arc<Self>, shutdown: CancellationToken) {
        let mut backoff = Backoff::new();
        loop {
            let ended = tokio::select! {
                ended = self.run(Arc::default()) => ended,
                () = shutdown.cancelled() => return,
            };
            let wait = backoff.next();
            match ended {
                Ok(code) => tracing::warn!(app = %self.app, code, ?wait, "the guest has exited and is started again"),
                Err(error) => tracing::error!(
                    app = %self.app, ?wait,
                    "the guest ended and is started again: {}: {}", self.path.display(), error.report(),
                ),
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    fn options(&self, activity: Arc<Activity>) -> GuestOptions {
        let mut arguments = vec![self.command.module.display().to_string()];
        arguments.extend(self.command.arguments.iter().cloned());
        let preopens = self
            .command
            .preopens
            .iter()
            .map(|preopen| Preopen { host: self.working_dir.join(&preopen.host), ..preopen.clone() });
        GuestOptions {
            arguments,
            environment: self.command.environment.clone(),
            preopens: preopens.collect(),
            limits: Limits { memory: self.command.memory.unwrap_or(self.limits.memory), ..self.limits.clone() },
            network: self.network.clone(),
            graphs: self.graphs.clone(),
            output: Arc::new(NamedLog { app: self.app.clone(), log: self.log.clone() }),
            activity,
        }
    }
}
