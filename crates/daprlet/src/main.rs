//! `daprlet`: arguments to configuration to running applications.

mod cli;
#[cfg(feature = "pluggable")]
mod component;
mod components;
#[cfg(feature = "compose")]
mod compose;
mod environment;
mod exit;
mod log;
mod page;
mod run;
mod shutdown;
mod version;

use std::process::ExitCode;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::parse_arguments() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ended = match cli.command {
        Command::Run(arguments) => runtime().and_then(|runtime| runtime.block_on(run::run(*arguments))),
        #[cfg(feature = "compose")]
        Command::Compose(arguments) => compose::run(&arguments).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "pluggable")]
        Command::Component(command) => {
            runtime().and_then(|runtime| runtime.block_on(component::run(command))).map(|()| ExitCode::SUCCESS)
        }
        Command::Version => version::print().map(|()| ExitCode::SUCCESS),
        Command::ProcessGuard => {
            app_runtime::guard_processes(std::io::stdin().lock());
            Ok(ExitCode::SUCCESS)
        }
    };
    ended.unwrap_or_else(|error| exit::report(&error))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // Guests compute for up to a tick at a time on these threads: look for input and output often in between.
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(7).build()?)
}
