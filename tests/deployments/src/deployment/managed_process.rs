//! A process of a deployment that can be restarted.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use e2e::Process;

/// One process of a deployment.
pub(crate) struct ManagedProcess {
    /// Unique name.
    pub(crate) name: String,
    state: Mutex<State>,
}

struct State {
    command: Command,
    process: Process,
    /// Output of the killed processes.
    earlier_output: String,
}

impl ManagedProcess {
    pub(crate) fn start(name: impl Into<String>, mut command: Command) -> Self {
        let process = Process::spawn(&mut command);
        Self { name: name.into(), state: Mutex::new(State { command, process, earlier_output: String::new() }) }
    }

    /// Kills the process with SIGKILL.
    pub(crate) fn kill(&self) {
        self.state().process.kill();
    }

    /// Returns true if the process exited by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().process.has_ended()
    }

    /// Starts the same command as before.
    pub(crate) fn restart(&self) {
        let state = &mut *self.state();
        state.process.kill();
        let before = std::mem::replace(&mut state.process, Process::spawn(&mut state.command));
        state.earlier_output.push_str(&before.said());
        state.earlier_output.push_str("\n--- restarted\n");
    }

    /// Returns the current process id.
    pub(crate) fn id(&self) -> u32 {
        self.state().process.id()
    }

    /// Returns the output of all runs of the process.
    pub(crate) fn output(&self) -> String {
        let state = self.state();
        format!("--- {}\n{}{}", self.name, state.earlier_output, state.process.said())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // After a panic the state still describes a process.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
