//! The project's commands. `cargo xtask --help` lists them; each has its own module.

#![expect(clippy::print_stderr, reason = "telling people what happens is half of what this program does")]

mod attack;
mod bench;
mod book;
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

/// The project's commands, the same on every machine and in CI
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    /// Repository to work on; by default the one of the current directory
    #[arg(long, global = true, value_name = "FOLDER", hide = true)]
    root: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds everything and runs the whole application, until Ctrl-C
    Up(up::Up),
    /// Runs all tests
    Test(test::Test),
    /// Sends the same requests to daprlet and the real daprd, and shows the differences
    Parity(parity::Parity),
    /// Runs all checks of a change: lints, checks of the tree, and all tests
    Ci(ci::Ci),
    /// Kills processes at random under load, and checks for lost events
    Chaos(chaos::Chaos),
    /// Attacks daprlet with hostile guests, clients, images and statements, and shows what it costs others
    Attack(attack::Attack),
    /// Measures the figures that the project must meet
    Bench(bench::Bench),
    /// Renders the documentation, and checks its links
    Book(book::Book),
    /// Builds the services for WebAssembly, into `wasm/`
    BuildWasm(build_wasm::BuildWasm),
    /// Creates a model directory from a published model, for the classify service
    Model(model::Model),
    /// Composes a component and its imports into one file, and runs it with plain wasmtime
    Fuse(fuse::Fuse),
    /// Creates a new service, ready for `cargo xtask up`
    NewService(new_service::NewService),
    /// Installs missing tools
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
        Command::Attack(attack) => attack.run(&repository),
        Command::Bench(bench) => bench.run(&repository),
        Command::Book(book) => book.run(&repository),
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
