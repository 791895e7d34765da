//! `cargo xtask bench`: the figures that the project is held to, in one run, each beside what it is compared with.
//!
//! Load comes from a process of its own (`bench load`), so that the server and its load do not share a scheduler.

mod applications;
mod bench;
mod components;
mod figures;
mod inference;
mod instances;
mod load;
mod native;
mod plain_wasmtime;
mod processes;
mod real;
mod row;
mod runtime;
mod sizes;
mod turns;
mod wasmedge;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Measures daprlet and prints a table with ratios.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// How long each load runs, in seconds.
    #[arg(long, global = true, default_value_t = 5)]
    seconds: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends requests and prints what came of them as JSON; the other half of the benchmark.
    #[command(hide = true)]
    Load(load::Arguments),

    /// Measures only what a state store costs when it is a Wasm component.
    Components,

    /// Measures only what more than one instance of a module is worth.
    Instances,

    /// Measures only inference: MobileNet V2, in all the ways there are to compute it.
    Inference {
        /// A folder with models/mobilenet-v2 and images/food.jpg.
        #[arg(long, env = "TESTDATA_DIR")]
        data: PathBuf,
    },

    /// Measures only a state read through `dapr:runtime`. `DAPRD` names a real `daprd`, which is measured beside it.
    Runtime,

    /// Measures only what one component is capable of, here and under plain `wasmtime serve`.
    Wasmtime,

    /// Measures daprlet beside the real Dapr and WasmEdge, and writes a report.
    Real(real::Arguments),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Load(arguments)) => load::run(&arguments),
        Some(Command::Components) => Ok(row::print(&components::rows()?)?),
        Some(Command::Instances) => Ok(row::print(&instances::rows(Duration::from_secs(cli.seconds))?)?),
        Some(Command::Inference { data }) => {
            Ok(row::print(&inference::rows(&data, Duration::from_secs(cli.seconds))?)?)
        }
        Some(Command::Runtime) => Ok(row::print(&runtime::rows(Duration::from_secs(cli.seconds))?)?),
        Some(Command::Wasmtime) => Ok(row::print(&plain_wasmtime::rows(Duration::from_secs(cli.seconds))?)?),
        Some(Command::Real(arguments)) => real::run(&arguments, Duration::from_secs(cli.seconds)),
        None => figures::all(Duration::from_secs(cli.seconds)),
    }
}
