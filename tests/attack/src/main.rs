//! `cargo xtask attack`: hostile guests, clients, images and statements against a running daprlet with the three services.
//!
//! Each attack meets a process of its own. While it goes on, a neighbour's `GET /` is measured; afterwards the memory of the
//! process and the time that SIGINT takes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the attacks are tests, and the table is what this program is for"
)]

mod attacks;
mod limits;
mod neighbour;
mod outcome;
mod raw;
mod target;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::attacks::Attack;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::target::{Setup, Target};

/// Attacks daprlet in many ways, and fails where one of them harms others.
#[derive(Debug, Parser)]
struct Cli {
    /// Only attacks whose name contains this.
    #[arg(default_value = "")]
    only: String,

    /// The quick form: a second for each attack, and limits that hold on a busy machine and for a debug build.
    #[arg(long)]
    quick: bool,

    /// The length of each attack, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let limits = if cli.quick { Limits::BUSY } else { Limits::QUIET };
    let duration = Duration::from_secs(if cli.quick { 1 } else { cli.seconds });
    let chosen: Vec<Attack> = attacks::all(cli.quick).into_iter().filter(|it| it.name.contains(&cli.only)).collect();
    let quiet = Target::start(Setup::default());
    let alone = quiet.neighbour.measure(duration);
    println!("{}", outcome::HEADER);
    println!("{}", outcome::alone(&alone, quiet.memory()));
    drop(quiet);
    let mut failures = 0;
    for attack in &chosen {
        let outcome = Outcome::of_attack(attack, duration);
        let broken = outcome.broken_limits(&limits, &alone, attack.effects);
        println!("{}", outcome.row(&attack.name, &alone));
        for limit in &broken {
            println!("  FAILED: {limit}");
        }
        failures += usize::from(!broken.is_empty());
    }
    println!("{} attacks, {failures} did harm", chosen.len());
    if failures == 0 && !chosen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
