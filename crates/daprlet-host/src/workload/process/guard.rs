//! Process groups of native applications, which end with the host however it ends.
//!
//! A signal to the host can be handled; `kill -9` cannot. So a second, tiny process, the guard, holds the other end of
//! a pipe: when that is closed, the host is gone, and the guard ends the registered groups.

use std::ffi::OsString;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::process::Child;

/// Command that starts the guard, once an application needs it.
#[derive(Clone, Debug)]
pub struct GuardCommand {
    /// Program to run.
    pub program: OsString,
    /// Arguments with which it calls [`guard_processes`].
    pub arguments: Vec<OsString>,
}

/// Starts the guard on demand and sends it the process groups.
pub(crate) struct ProcessGuard {
    command: Option<GuardCommand>,
    running: Mutex<Option<std::process::Child>>,
}

impl ProcessGuard {
    /// Creates a guard started by `command`. Without one, groups end only if the host ends in order.
    pub(crate) fn new(command: Option<GuardCommand>) -> Self {
        Self { command, running: Mutex::new(None) }
    }

    /// Registers the process group of `leader`.
    pub(crate) fn watch(self: &Arc<Self>, leader: &Child) -> ProcessGroup {
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id {
            self.send(&format!("+{id}\n"));
        }
        ProcessGroup { guard: self.clone(), id }
    }

    /// Sends a line to the guard, and starts it first if it does not run.
    ///
    /// The groups of an earlier guard are lost only if it was killed.
    fn send(&self, line: &str) {
        use std::io::Write as _;
        let mut running = self.lock();
        let has_ended = running.as_mut().is_none_or(|guard| !matches!(guard.try_wait(), Ok(None)));
        if has_ended {
            *running = self.start();
        }
        let Some(input) = running.as_mut().and_then(|guard| guard.stdin.as_mut()) else { return };
        if let Err(error) = input.write_all(line.as_bytes()) {
            tracing::warn!(%error, "cannot write to the process guard: native applications may outlive a killed daprlet");
        }
    }

    fn start(&self) -> Option<std::process::Child> {
        use std::process::{Command, Stdio};
        let command = self.command.as_ref()?;
        let mut guard = Command::new(&command.program);
        guard.args(&command.arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        guard.current_dir("/");
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut guard, 0);
        let started = guard.spawn();
        started
            .inspect_err(|error| {
                tracing::warn!(%error, "no process guard: native applications may outlive a killed daprlet");
            })
            .ok()
    }

    fn lock(&self) -> MutexGuard<'_, Option<std::process::Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The processes of one application: the started one and its descendants.
pub(crate) struct ProcessGroup {
    guard: Arc<ProcessGuard>,
    id: Option<i32>,
}

impl ProcessGroup {
    /// Terminates the group, and kills the rest after `timeout`; `leader` ends with its first process.
    pub(crate) async fn terminate<T>(&self, timeout: Duration, leader: impl Future<Output = T>) {
        self.signal(Signal::Terminate);
        let gone = async {
            leader.await;
            while self.signal(Signal::Test) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(timeout, gone).await.is_err() {
            self.kill();
        }
    }

    /// Kills the rest of the group.
    pub(crate) fn kill(&self) {
        self.signal(Signal::Kill);
    }

    /// Sends a signal; returns whether the group had any process.
    fn signal(&self, signal: Signal) -> bool {
        self.id.is_some_and(|id| signal_group(id, signal))
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
        if let Some(id) = self.id {
            self.guard.send(&format!("-{id}\n"));
        }
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Test,
    Terminate,
    Kill,
}

#[cfg(unix)]
fn signal_group(id: i32, signal: Signal) -> bool {
    use rustix::process::{Pid, Signal as Number, kill_process_group, test_kill_process_group};
    let Some(group) = Pid::from_raw(id) else { return false };
    match signal {
        Signal::Test => test_kill_process_group(group),
        Signal::Terminate => kill_process_group(group, Number::TERM),
        Signal::Kill => kill_process_group(group, Number::KILL),
    }
    .is_ok()
}

#[cfg(not(unix))]
fn signal_group(_: i32, _: Signal) -> bool {
    false
}

/// Runs the guard.
///
/// Reads process groups (`+ID` and `-ID`, a line each) and ends them when `input` ends.
pub fn guard_processes(input: impl std::io::BufRead) {
    let mut groups = std::collections::BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        let Some((sign, Ok(id))) = line.split_at_checked(1).map(|(sign, id)| (sign, id.parse::<i32>())) else {
            continue;
        };
        // An id of 1 or below is no application's group: the signal would go to all processes.
        if id > 1 && sign == "+" {
            groups.insert(id);
        } else {
            groups.remove(&id);
        }
    }
    groups.retain(|group| signal_group(*group, Signal::Terminate));
    let begin = std::time::Instant::now();
    while !groups.is_empty() && begin.elapsed() < super::TERMINATION_TIMEOUT {
        std::thread::sleep(Duration::from_millis(20));
        groups.retain(|group| signal_group(*group, Signal::Test));
    }
    for group in groups {
        signal_group(group, Signal::Kill);
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// Starts a shell that ignores SIGTERM, with a child; both hold the returned pipe.
    fn stubborn_group() -> (std::process::Child, std::process::ChildStdout) {
        let script = "trap '' TERM; sleep 600 & echo ready; wait";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script]).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut output = shell.stdout.take().unwrap();
        output.read_exact(&mut [0; 6]).unwrap();
        (shell, output)
    }

    #[test]
    fn guard_ends_whole_groups_when_its_input_ends() {
        let (mut shell, mut output) = stubborn_group();
        guard_processes(format!("+{}\n+1\n+-1\nrubbish\n", shell.id()).as_bytes());
        // The pipe ends when no process holds it any more.
        output.read_to_end(&mut Vec::new()).unwrap();
        assert!(!shell.wait().unwrap().success());
    }

    #[test]
    fn guard_leaves_unregistered_groups_alone() {
        let (mut shell, _output) = stubborn_group();
        guard_processes(format!("+{id}\n-{id}\n", id = shell.id()).as_bytes());
        assert!(shell.try_wait().unwrap().is_none());
        signal_group(i32::try_from(shell.id()).unwrap(), Signal::Kill);
        shell.wait().unwrap();
    }
}
