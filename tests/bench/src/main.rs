//! `cargo xtask bench`: measures the figures that the project must meet, each compared with a reference.
//!
//! The load comes from a separate process (`bench load`), so that server and load do not share a scheduler.

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

/// Measures daprlet and prints a table with ratios
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Duration of each load, in seconds
    #[arg(long, global = true, default_value_t = 5)]
    seconds: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends requests and prints the measurements as JSON; started by the benchmark itself
    #[command(hide = true)]
    Load(load::Arguments),

    /// Measures only the cost of a state store that is a Wasm component
    Components,

    /// Measures only the benefit of more than one instance of a module
    Instances,

    /// Measures only inference: MobileNet V2, with every backend
    Inference {
        /// Directory with models/mobilenet-v2 and images/food.jpg
        #[arg(long, env = "TESTDATA_DIR")]
        data: PathBuf,
    },

    /// Measures only a state read through `dapr:runtime`; `DAPRD` names a real `daprd` to compare with
    Runtime,

    /// Measures only the capacity of one component, in daprlet and under plain `wasmtime serve`
    Wasmtime,

    /// Measures daprlet and the real Dapr and WasmEdge, and writes a report
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
