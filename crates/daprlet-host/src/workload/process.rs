//! A native process as an application, in its own process group and with Dapr's environment.

pub(crate) mod guard;

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_runtime::AppChannel;
use futures_util::future::join_all;
use guest_wasmedge::OutputStream;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::guard::{GuardCommand, ProcessGuard};
use super::restarts::Restarts;
use super::{WorkloadContext, WorkloadRunner};
use crate::app_spec::Command;
use crate::connection_pool::ConnectionPool;
use crate::error::StartError;
use crate::lifetime::{HostEvent, Lifetime};
use crate::log::AppLog;
use crate::snapshot::AppStatus;

/// Maximum time that a process may take to end after SIGTERM.
pub(crate) const TERMINATION_TIMEOUT: Duration = Duration::from_millis(1500);

/// Maximum time that the last lines of an ended process may take.
const LAST_LINES_TIMEOUT: Duration = Duration::from_millis(500);

/// Maximum length of a line, in bytes; a longer one is split.
const MAX_LINE_BYTES: usize = 64 << 10;

/// Runs native programs.
pub(crate) struct ProcessRunner {
    guard: Arc<ProcessGuard>,
}

impl ProcessRunner {
    /// Creates a runner; `guard` is the command that starts the guard of its processes.
    pub(crate) fn new(guard: Option<GuardCommand>) -> Self {
        Self { guard: Arc::new(ProcessGuard::new(guard)) }
    }
}

#[async_trait]
impl WorkloadRunner for ProcessRunner {
    fn accepts(&self, command: &Command, _: &[u8]) -> bool {
        matches!(command, Command::Process(_))
    }

    async fn start(&self, context: WorkloadContext) -> Result<Arc<dyn AppChannel>, StartError> {
        let mut environment = context.dapr_environment();
        let (spec, lifetime) = (context.spec, context.lifetime);
        let workload = spec.workload;
        let command = match workload.command {
            Command::Process(command) => command,
            other => return Err(StartError::unsupported(&spec.id, &other)),
        };
        environment.extend(workload.environment);
        let process = ProcessApp {
            app: spec.id,
            command,
            working_dir: workload.working_dir,
            environment,
            log: context.log,
            guard: self.guard.clone(),
            ends_run: workload.ends_run,
            status: context.status,
        };
        lifetime.spawn("native application", process.supervise(lifetime.clone()));
        Ok(Arc::new(ConnectionPool::to_local_port(spec.port)))
    }
}

/// A native application.
struct ProcessApp {
    app: String,
    command: Vec<String>,
    working_dir: PathBuf,
    environment: Vec<(String, String)>,
    log: Arc<dyn AppLog>,
    guard: Arc<ProcessGuard>,
    /// True if the run ends with the process, which is then not restarted.
    ends_run: bool,
    status: Arc<AppStatus>,
}

impl ProcessApp {
    /// Runs the process until the host stops. A process that fails is restarted; one that succeeds is not.
    async fn supervise(self, lifetime: Lifetime) {
        let mut restarts = Restarts::new(self.app.clone(), self.status.clone());
        loop {
            let Some(ended) = self.run(&lifetime.stopped).await else { return };
            let code = match &ended {
                Ok(status) => exit_code(*status),
                Err(_) => 1,
            };
            lifetime.send(HostEvent::Exited { app: self.app.clone(), code });
            if code == 0 || self.ends_run {
                tracing::info!(app = %self.app, code, "process exited");
                return;
            }
            let error = match ended {
                Ok(status) => format!("the process has ended: {status}"),
                Err(error) => error,
            };
            let delay = tokio::time::sleep(restarts.next(&error));
            if lifetime.stopped.run_until_cancelled(delay).await.is_none() {
                return;
            }
        }
    }

    /// Runs the process to its end; `None` if the host stopped first.
    async fn run(&self, stopped: &CancellationToken) -> Option<Result<ExitStatus, String>> {
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => return Some(Err(error)),
        };
        let _counted = self.status.count_instance();
        let group = self.guard.watch(&child);
        let lines = [
            self.follow(child.stdout.take(), OutputStream::Stdout),
            self.follow(child.stderr.take(), OutputStream::Stderr),
        ];
        let ended = stopped.run_until_cancelled(child.wait()).await;
        if ended.is_none() {
            // Ends the process's own children, too.
            group.terminate(TERMINATION_TIMEOUT, child.wait()).await;
        } else {
            group.kill();
            // Its last output may still be in the pipes.
            let _ = tokio::time::timeout(LAST_LINES_TIMEOUT, join_all(lines.into_iter().flatten())).await;
        }
        ended.map(|status| status.map_err(|error| format!("the process is lost: {error}")))
    }

    fn spawn(&self) -> Result<Child, String> {
        let Some((program, arguments)) = self.command.split_first() else { return Err("no command".to_owned()) };
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.working_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|error| format!("cannot start {program:?} in {}: {error}", self.working_dir.display()))
    }

    fn follow(
        &self,
        stream: Option<impl AsyncRead + Unpin + Send + 'static>,
        which: OutputStream,
    ) -> Option<JoinHandle<()>> {
        let stream = stream?;
        let (app, log) = (self.app.clone(), self.log.clone());
        Some(tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while let Ok(1..) = read_line(&mut reader, &mut line).await {
                log.line(&app, which, String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
                line.clear();
            }
        }))
    }
}

/// Reads a line, or its first [`MAX_LINE_BYTES`]; returns the number of bytes.
async fn read_line<R: AsyncRead + Unpin>(reader: &mut BufReader<R>, line: &mut Vec<u8>) -> std::io::Result<usize> {
    use tokio::io::AsyncReadExt as _;
    reader.take(MAX_LINE_BYTES as u64).read_until(b'\n', line).await
}

/// Computes the exit code as a shell does.
///
/// If a signal ended the process, it is 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_line_is_cut_and_nothing_lost() {
        let text = [vec![b'x'; MAX_LINE_BYTES + 3], b"\nshort".to_vec()].concat();
        let mut reader = BufReader::new(text.as_slice());
        let mut lengths = Vec::new();
        let mut line = Vec::new();
        while read_line(&mut reader, &mut line).await.unwrap() > 0 {
            lengths.push(line.len());
            line.clear();
        }
        assert_eq!(lengths, [MAX_LINE_BYTES, 4, 5]);
    }

    #[cfg(unix)]
    #[test]
    fn exit_code_of_a_signal_is_128_and_its_number() {
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(15)), 143);
    }
}
