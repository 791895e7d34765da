//! A WasmEdge module as an application: compiled, run, and restarted when it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use guest_wasmedge::command::WasmEdgeCommand;
use guest_wasmedge::{
    Account, Activity, DescriptorBudget, Engine, GuestError, GuestOptions, Limits, MemoryAccount, Preopen,
};
use inference::Graphs;

use super::network::GuestNetwork;
use crate::connection_pool::ConnectionPool;
use crate::error::StartError;
use crate::lifetime::{HostEvent, Lifetime};
use crate::log::{AppLog, NamedLog};
use crate::snapshot::AppStatus;
use crate::workload::restarts::Restarts;

/// A guest and its options, kept for each start.
pub(crate) struct GuestApp {
    pub(crate) app: String,
    pub(crate) engine: Arc<Engine>,
    pub(crate) path: PathBuf,
    pub(crate) module: wasmtime::Module,
    pub(crate) command: WasmEdgeCommand,
    pub(crate) working_dir: PathBuf,
    pub(crate) limits: Limits,
    /// Descriptor budget of all its instances.
    pub(crate) descriptors: Arc<DescriptorBudget>,
    pub(crate) account: Arc<Account>,
    pub(crate) memory: Arc<MemoryAccount>,
    /// True if an idle instance may be replaced to release its memory: the module may have several, and so keeps nothing in one.
    pub(crate) is_replaceable: bool,
    pub(crate) network: Arc<GuestNetwork>,
    /// Connections of this process to its instances.
    pub(crate) pool: Arc<ConnectionPool>,
    pub(crate) graphs: Arc<Graphs>,
    pub(crate) log: Arc<dyn AppLog>,
    pub(crate) status: Arc<AppStatus>,
}

/// Compiles the module of an application.
pub(crate) async fn compile(
    engine: &Arc<Engine>,
    app: &str,
    path: &Path,
    wasm: Vec<u8>,
) -> Result<wasmtime::Module, StartError> {
    let engine = engine.clone();
    let compiling = tokio::task::spawn_blocking(move || engine.compile(&wasm));
    let compiled = log_if_slow(app, compiling).await.map_err(StartError::Task)?;
    compiled.map_err(|source| StartError::Guest { app: app.to_owned(), path: path.to_owned(), source })
}

/// Loading time after which a compilation is logged.
const LOG_COMPILING_AFTER: Duration = Duration::from_millis(700);

/// Logs that a module is being compiled, and for how long, unless its code was cached.
pub(crate) async fn log_if_slow<T>(app: &str, compiling: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    tokio::pin!(compiling);
    if let Ok(compiled) = tokio::time::timeout(LOG_COMPILING_AFTER, compiling.as_mut()).await {
        return compiled;
    }
    tracing::info!(app, "compiling for this machine; later starts use the cache");
    let compiled = compiling.await;
    tracing::info!(app, seconds = begin.elapsed().as_secs(), "compiled");
    compiled
}

impl GuestApp {
    /// Runs one instance of the guest to its end.
    pub(crate) async fn run(&self, activity: Arc<Activity>) -> Result<i32, GuestError> {
        let _counted = self.status.count_instance();
        guest_wasmedge::run(&self.engine, &self.module, self.options(activity)).await
    }

    /// Runs an instance until the host stops, and restarts it when it ends.
    ///
    /// An application with `ends_run` is not restarted when it exits. One that cannot start is reported and left.
    pub(crate) async fn supervise(self: Arc<Self>, lifetime: Lifetime, ends_run: bool) {
        let mut restarts = Restarts::new(self.app.clone(), self.status.clone());
        let mut start = Start::default();
        loop {
            let begin = Instant::now();
            let Some(ended) = lifetime.stopped.run_until_cancelled(self.run_observed(&mut start)).await else { return };
            let Some(ended) = ended else {
                tracing::debug!(app = %self.app, "replaced the idle instance to release its memory");
                continue;
            };
            if let Ok(code) = &ended {
                lifetime.send(HostEvent::Exited { app: self.app.clone(), code: *code });
                if ends_run || (*code == 0 && self.network.queue.is_none()) {
                    tracing::info!(app = %self.app, code, "guest exited");
                    return;
                }
            }
            let error = match &ended {
                Ok(code) => format!("the guest has exited with {code}"),
                Err(error) => format!("{}: {}", self.path.display(), error.report()),
            };
            if let Some(source) = start.permanent_error(ended, begin.elapsed()) {
                let (app, path) = (self.app.clone(), self.path.clone());
                lifetime.send(HostEvent::CannotStart(StartError::Guest { app, path, source }));
                return;
            }
            let delay = tokio::time::sleep(restarts.next(&error));
            if lifetime.stopped.run_until_cancelled(delay).await.is_none() {
                return;
            }
        }
    }

    /// Runs an instance, and records in `start` when it listens. Returns `None` if it should be replaced to release its memory.
    async fn run_observed(&self, start: &mut Start) -> Option<Result<i32, GuestError>> {
        let activity = Arc::<Activity>::default();
        let run = self.run(activity.clone());
        let Some((_, queue)) = &self.network.queue else { return Some(run.await) };
        tokio::pin!(run);
        tokio::select! {
            biased;
            ended = run.as_mut() => return Some(ended),
            () = queue.wait_for_listener() => start.has_succeeded = true,
        }
        if !self.is_replaceable {
            return Some(run.await);
        }
        tokio::select! {
            biased;
            ended = run => Some(ended),
            () = self.wait_until_bloated(&activity) => None,
        }
    }

    /// Returns true if an instance has no connection but idle ones of this process, which notice its end.
    pub(crate) fn is_idle(&self, activity: &Arc<Activity>) -> bool {
        activity.connections() <= self.pool.idle_connections(activity)
    }

    /// Waits until an instance that has served connections is idle and has grown too much: WebAssembly memory cannot shrink.
    async fn wait_until_bloated(&self, activity: &Arc<Activity>) {
        let mut baseline = self.memory.used();
        while activity.accepted() == 0 {
            baseline = self.memory.used();
            tokio::time::sleep(BASELINE_INTERVAL).await;
        }
        let ceiling = baseline.saturating_add(MAX_IDLE_GROWTH);
        let mut before = activity.accepted();
        loop {
            tokio::time::sleep(REPLACE_AFTER).await;
            let now = activity.accepted();
            if now == before && self.is_idle(activity) && self.memory.used() > ceiling {
                return;
            }
            before = now;
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
            descriptors: self.descriptors.clone(),
            limits: Limits { memory: self.command.memory.unwrap_or(self.limits.memory), ..self.limits.clone() },
            network: self.network.clone(),
            graphs: self.graphs.clone(),
            output: Arc::new(NamedLog { app: self.app.clone(), log: self.log.clone() }),
            activity,
            account: self.account.clone(),
            memory: self.memory.clone(),
        }
    }
}

/// Memory that an idle instance may keep beyond what it had before its first connection, in bytes.
const MAX_IDLE_GROWTH: usize = 24 << 20;

/// Time without connections after which an instance is idle enough to be replaced.
const REPLACE_AFTER: Duration = Duration::from_secs(20);

/// Time between two looks at the memory of an instance without connections yet.
const BASELINE_INTERVAL: Duration = Duration::from_secs(1);

/// Exit codes for invalid settings (`EX_USAGE` and `EX_CONFIG` of sysexits.h).
const SETTINGS_ERROR_CODES: [i32; 2] = [64, 78];

/// Maximum traps of a guest before it has ever listened.
const MAX_TRAPS_AT_START: u32 = 3;

/// Run time after which a guest counts as started, whether it listens or not.
const STARTED_AFTER: Duration = Duration::from_secs(5);

/// State of a guest's first start, which decides whether to restart it.
#[derive(Default)]
struct Start {
    has_succeeded: bool,
    traps: u32,
}

impl Start {
    /// Returns the error if another attempt would fail as well, for a guest that `ended` after `running`.
    fn permanent_error(&mut self, ended: Result<i32, GuestError>, running: Duration) -> Option<GuestError> {
        self.has_succeeded |= running >= STARTED_AFTER;
        if self.has_succeeded {
            return None;
        }
        match ended {
            Ok(code) if SETTINGS_ERROR_CODES.contains(&code) => Some(GuestError::SettingsRefused(code)),
            Ok(_) => None,
            // A guest that hangs has started.
            Err(error) if error.is_hung() => None,
            Err(error @ GuestError::Trap(_)) => {
                self.traps += 1;
                (self.traps >= MAX_TRAPS_AT_START).then_some(error)
            }
            Err(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trap() -> Result<i32, GuestError> {
        Err(GuestError::Trap(wasmtime::Error::msg("unreachable")))
    }

    #[test]
    fn guest_that_cannot_start_fails_permanently() {
        let soon = Duration::from_millis(1);
        let mut start = Start::default();
        assert!(start.permanent_error(Err(GuestError::UnknownImports(vec![])), soon).is_some());
        assert!(start.permanent_error(Ok(64), soon).is_some());
        assert!(start.permanent_error(Ok(1), soon).is_none());
        let permanent: Vec<_> = (0..3).map(|_| start.permanent_error(trap(), soon).is_some()).collect();
        assert_eq!(permanent, [false, false, true]);
    }

    #[test]
    fn guest_that_has_run_is_restarted() {
        for mut start in [Start { has_succeeded: true, traps: 0 }, Start::default()] {
            let running = if start.has_succeeded { Duration::ZERO } else { STARTED_AFTER };
            assert!((0..9).all(|_| start.permanent_error(trap(), running).is_none()));
            assert!(start.permanent_error(Ok(64), Duration::ZERO).is_none());
        }
    }
}
