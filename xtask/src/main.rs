//! The project's commands. `cargo xtask --help` lists them; each is a module of its own.

#![expect(clippy::print_stderr, reason = "telling people what happens is half of what this program does")]

mod bench;
mod build_wasm;
mod chaos;
mod ci;
mod fuse;
mod go;
mod model;
mod new_service;
mod parity;
mod progress;
mod real;
mod repository;
mod run_template;
mod setup;
mod steps;
mod test;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repository::Repository;

/// The project's commands, the same on every machine and in CI.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    /// The repository to work on, if it is not the one that the command is called in.
    #[arg(long, global = true, value_name = "FOLDER", hide = true)]
    root: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds everything and runs the whole application, until Ctrl-C.
    Up(up::Up),
    /// Runs all tests.
    Test(test::Test),
    /// Asks daprlet and the real daprd the same, and shows where they differ.
    Parity(parity::Parity),
    /// Runs everything that a change has to pass: lints, checks of the tree, and all tests.
    Ci(ci::Ci),
    /// Kills processes at random under load, and looks for lost events.
    Chaos(chaos::Chaos),
    /// Measures the figures that the project is held to.
    Bench(bench::Bench),
    /// Builds the services for WebAssembly, into `wasm/`.
    BuildWasm(build_wasm::BuildWasm),
    /// Makes a model directory of a published model, for the classify service.
    Model(model::Model),
    /// Makes one file of a component and what it imports, and runs it with plain wasmtime.
    Fuse(fuse::Fuse),
    /// Puts a new service into place, ready for `cargo xtask up`.
    NewService(new_service::NewService),
    /// Installs what this machine lacks.
    Setup(setup::Setup),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let repository = Repository::new(cli.root);
    let done = match cli.command {
        Command::Up(up) => return up.run(&repository).unwrap_or_else(|error| fail(&error)),
        Command::Test(test) => test.run(&repository),
        Command::Parity(parity) => parity.run(&repository),
        Command::Ci(ci) => ci.run(&repository),
        Command::Chaos(chaos) => chaos.run(&repository),
        Command::Bench(bench) => bench.run(&repository),
        Command::Fuse(fuse) => fuse.run(&repository),
        Command::BuildWasm(build) => build.run(&repository),
        Command::Model(model) => model.run(&repository),
        Command::NewService(new) => new.run(&repository),
        Command::Setup(setup) => setup.run(&repository),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
