//! `cargo xtask parity`: daprlet and real `daprd` are asked the same, and a table shows where they differ.
//!
//! No expected answer is written down anywhere: the running `daprd` gives them.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod answer;
mod ask;
mod bed;
mod case;
mod cases;
mod client;
mod echo;
mod known;
mod normalise;
mod report;
mod servers;
mod suite;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::known::Known;
use crate::suite::{Outcome, Verdict};
use crate::world::{Kind, World};

/// Asks daprlet and real `daprd` the same, and fails where they answer differently.
#[derive(Debug, Parser)]
struct Cli {
    /// The real `daprd`.
    #[arg(long, env = "DAPRD", default_value = "daprd")]
    daprd: PathBuf,

    /// Only cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let known = known::read()?;
    let servers = servers::start()?;
    println!("{}", report::head());
    let mut verdicts = Vec::new();
    for (name, bed, cases) in [("api", bed::api(), cases::api()), ("guarded", bed::guarded(), cases::guarded())] {
        let cases: Vec<_> = cases.into_iter().filter(|case| case.name.contains(&cli.only)).collect();
        if cases.is_empty() {
            continue;
        }
        let (ours, real) = (servers.of(0, &format!("{name}_ours"))?, servers.of(1, &format!("{name}_real"))?);
        let ours = World::start(&Kind::Daprlet, &bed, &ours).await?;
        let real = World::start(&Kind::Daprd(cli.daprd.clone()), &bed, &real).await?;
        verdicts
            .extend(suite::run([&ours, &real], cases, &known, |verdict| println!("{}", report::line(verdict))).await?);
    }
    Ok(conclude(&verdicts, &known))
}

fn conclude(verdicts: &[Verdict], known: &[Known]) -> ExitCode {
    println!();
    for verdict in verdicts.iter().filter(|it| it.outcome == Outcome::Different) {
        println!("{}", report::difference(verdict));
    }
    println!("{}", report::summary(verdicts, known));
    let is_good = verdicts.iter().all(|it| it.outcome != Outcome::Different);
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
