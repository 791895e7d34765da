//! One application as a process of its own, with Dapr's environment.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use wasmedge_guest::OutputStream;

use crate::log::AppLog;

/// How long a process may take to end after it was asked to.
const GRACE: Duration = Duration::from_millis(1500);

/// A native application.
pub(crate) struct ProcessApp {
    pub(crate) app: String,
    pub(crate) command: Vec<String>,
    pub(crate) working_dir: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) log: Arc<dyn AppLog>,
}

impl ProcessApp {
    /// Runs the process until it ends, or `shutdown`. As with `dapr run`, a process that ended is not started again.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let Some((program, arguments)) = self.command.split_first() else { return };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.working_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                tracing::error!(app = %self.app, %error, "cannot start {program:?} in {}", self.working_dir.display());
                return;
            }
        };
        self.follow(child.stdout.take(), OutputStream::Stdout);
        self.follow(child.stderr.take(), OutputStream::Stderr);
        tokio::select! {
            status = child.wait() => self.ended(status),
            () = shutdown.cancelled() => stop(&mut child).await,
        }
    }

    fn follow(&self, stream: Option<impl AsyncRead + Unpin + Send + 'static>, which: OutputStream) {
        let Some(stream) = stream else { return };
        let (app, log) = (self.app.clone(), self.log.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                log.line(&app, which, &line);
            }
        });
    }

    fn ended(&self, status: std::io::Result<ExitStatus>) {
        match status {
            Ok(status) => tracing::warn!(app = %self.app, "the process has ended: {status}"),
            Err(error) => tracing::error!(app = %self.app, %error, "the process is lost"),
        }
    }
}

/// Asks the process to end, and makes it when it does not.
async fn stop(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
        // It may have ended just now, which is what is wanted.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "a process could not be ended");
    }
}
