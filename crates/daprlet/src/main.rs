//! `daprlet`: from arguments through configuration to running applications.

mod cli;
#[cfg(feature = "pluggable")]
mod component;
mod components;
#[cfg(feature = "compose")]
mod compose;
mod descriptors;
mod environment;
mod exit;
mod log;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod memory;
#[cfg(feature = "optimize")]
mod optimize;
mod page;
mod run;
mod shutdown;
mod version;

use std::process::ExitCode;

use crate::cli::{Cli, Command, generated};

fn main() -> ExitCode {
    let cli = match Cli::parse_arguments() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ended = match cli.command {
        Command::Run(arguments) => block_on(run::run(*arguments)),
        #[cfg(feature = "compose")]
        Command::Compose(arguments) => compose::run(&arguments).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "optimize")]
        Command::Optimize(arguments) => optimize::run(&arguments).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "pluggable")]
        Command::Component(command) => block_on(component::run(command)).map(|()| ExitCode::SUCCESS),
        Command::Version => version::print().map(|()| ExitCode::SUCCESS),
        Command::Completions { shell } => generated::print_completions(shell).map(|()| ExitCode::SUCCESS),
        Command::Man { command } => generated::print_manual(command.as_deref()).map(|()| ExitCode::SUCCESS),
        Command::ProcessGuard => {
            daprlet_host::guard_processes(std::io::stdin().lock());
            Ok(ExitCode::SUCCESS)
        }
    };
    ended.unwrap_or_else(|error| exit::report(&error))
}

/// Runs a command to completion. Compilations still in progress are abandoned.
fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    // Guests compute for up to a tick at a time on these threads, so I/O events are polled often.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(7).build()?;
    let ended = runtime.block_on(command);
    runtime.shutdown_background();
    ended
}
