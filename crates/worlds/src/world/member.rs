//! A process of a world, and what it takes to start it again.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use e2e::Process;

/// One program of a world.
pub(crate) struct Member {
    /// Unique in its world.
    pub(crate) name: String,
    state: Mutex<State>,
}

struct State {
    command: Command,
    process: Process,
    /// What those have said that were killed.
    said: String,
}

impl Member {
    pub(crate) fn start(name: impl Into<String>, mut command: Command) -> Self {
        let process = Process::spawn(&mut command);
        Self { name: name.into(), state: Mutex::new(State { command, process, said: String::new() }) }
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        self.state().process.kill();
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().process.has_ended()
    }

    /// Starts the same command as before.
    pub(crate) fn start_again(&self) {
        let state = &mut *self.state();
        state.process.kill();
        let before = std::mem::replace(&mut state.process, Process::spawn(&mut state.command));
        state.said.push_str(&before.said());
        state.said.push_str("\n--- ended, and started again\n");
    }

    /// The process id that it has now.
    pub(crate) fn id(&self) -> u32 {
        self.state().process.id()
    }

    /// Everything that it has said, in all its lives.
    pub(crate) fn said(&self) -> String {
        let state = self.state();
        format!("--- {}\n{}{}", self.name, state.said, state.process.said())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic may have left is a process all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
