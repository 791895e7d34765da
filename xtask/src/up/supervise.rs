//! Runs daprlet in the foreground: forwards signals to it, and exits with it.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Starts the program, calls `on_start` in parallel, and exits as it exits.
pub(crate) fn run(program: &mut Command, on_start: impl FnOnce() + Send + 'static) -> Result<ExitCode> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen to signals")?;
    // A separate process group, or Ctrl-C would reach it twice: from the terminal and from here.
    program.stdin(Stdio::null()).process_group(0);
    let mut child = program.spawn().context("cannot start daprlet")?;
    let pid = Pid::from_child(&child);
    thread::spawn(move || {
        for signal in signals.forever() {
            // If it has ended already, so will we.
            let _ = kill_process(pid, if signal == SIGINT { Signal::INT } else { Signal::TERM });
        }
    });
    thread::spawn(on_start);
    let status = child.wait().context("cannot wait for daprlet")?;
    // As shells report it: 128 and the signal that ended the program.
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
