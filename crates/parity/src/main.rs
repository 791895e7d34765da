//! `cargo xtask parity`: daprlet and real `daprd` are asked the same, and a table shows where they differ.
//!
//! No expected answer is written down anywhere: the running `daprd` gives them.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod ask;
mod case;
mod cases;
mod conformance;
mod exchange;
mod faults;
mod known;
mod normalise;
mod random;
mod report;
mod suite;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use worlds::{Bed, Config, Kind, Programs, Running, Runtime, Servers, World, bed};

use crate::case::Case;
use crate::known::Known;
use crate::suite::{Outcome, Verdict};

/// Settings of the services: each user may make so many requests, and then one a minute.
/// WasmEdge interprets the portable modules, and its first inference alone takes half a second, the default deadline of events.
const SETTINGS: &[&str] = &[
    "RATE_LIMIT_PER_MINUTE=1",
    "RATE_LIMIT_BURST=4",
    "TRUSTED_PROXIES=loopback",
    "ALLOW_DELETE_EVENTS=true",
    "EVENT_DEADLINE_MS=1500",
];

/// The same for `wasmtime serve`: all users are one there, and every request meets a fresh instance, which prepares the
/// database before it does anything else and takes its time.
const FOR_ONE_USER: &[&str] = &[
    "RATE_LIMIT_PER_MINUTE=0",
    "TRUSTED_PROXIES=loopback",
    "ALLOW_DELETE_EVENTS=true",
    "EVENT_DEADLINE_MS=20000",
    "DATABASE_DEADLINE_MS=20000",
];

/// The round in which the stores are.
const API: &str = "api";

/// Asks daprlet and the real Dapr the same, and fails where they answer differently.
#[derive(Debug, Parser)]
struct Cli {
    /// The real `daprd`.
    #[arg(long, env = "DAPRD", default_value = "daprd")]
    daprd: PathBuf,

    /// A real WasmEdge; may be given several times, for several versions.
    #[arg(long, env = "WASMEDGE", default_value = "wasmedge")]
    wasmedge: Vec<PathBuf>,

    /// A real wasmtime, which runs the services as components.
    #[arg(long, env = "WASMTIME")]
    wasmtime: Option<PathBuf>,

    /// Only cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,

    /// Instead of the suite, kills processes at random for so many minutes, and looks for events that were lost.
    #[arg(long, value_name = "MINUTES")]
    chaos: Option<u64>,

    /// Seed of `--chaos`.
    #[arg(long, default_value_t = 0, requires = "chaos")]
    seed: u64,

    /// With `--chaos`, leaves the real world in peace.
    #[arg(long, requires = "chaos")]
    only_daprlet: bool,

    /// How many random sequences of state operations are tried, beyond the fixed one.
    #[arg(long, default_value_t = 0)]
    seeds: u64,

    /// Where the table and the differences are written, too.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let known = known::read()?;
    if let Some(minutes) = cli.chaos {
        return disturb(&cli, minutes).await;
    }
    let servers = Running::start()?;
    println!("{}", report::head());
    let mut verdicts = Vec::new();
    if "exchange: ".contains(&cli.only) || cli.only.starts_with("exchange") {
        verdicts.extend(exchanged(&cli, &servers).await?);
    }
    for round in rounds(&cli)? {
        let cases: Vec<_> = round.cases.into_iter().filter(|case| case.name.contains(&cli.only)).collect();
        let has_stores = round.name == API && conformance::is_wanted(&cli.only);
        if cases.is_empty() && !has_stores {
            continue;
        }
        let (ours, real) = (servers.of(0, &round.name)?, servers.of(1, &round.name)?);
        let programs = Programs { daprd: cli.daprd.clone(), runtime: round.runtime };
        let ours = World::start(&Kind::Daprlet, &round.bed, &ours).await?;
        let real = World::start(&Kind::Real(programs), &round.bed, &real).await?;
        let told = |verdict: &Verdict| println!("{}", report::line(verdict));
        verdicts.extend(suite::run([&ours, &real], cases, &known, told).await?);
        if has_stores {
            verdicts.extend(conformance::run(&real, told).await?);
        }
    }
    verdicts.extend(faults(&cli).await?);
    conclude(&cli, &verdicts, &known)
}

/// What becomes of events when processes are killed. The first WasmEdge is enough: it is the processes around it that differ.
async fn faults(cli: &Cli) -> anyhow::Result<Vec<Verdict>> {
    let runtime = cli.wasmedge.first().map(Runtime::wasmedge).unwrap_or_default();
    let programs = Programs { daprd: cli.daprd.clone(), runtime };
    faults::run(&programs, &cli.only, |verdict| println!("{}", report::line(verdict))).await
}

/// Kills at random, and tells what each world has borne.
async fn disturb(cli: &Cli, minutes: u64) -> anyhow::Result<ExitCode> {
    let runtime = cli.wasmedge.first().map(Runtime::wasmedge).unwrap_or_default();
    let programs = Programs { daprd: cli.daprd.clone(), runtime };
    let programs = (!cli.only_daprlet).then_some(&programs);
    let chaos = faults::Chaos { duration: Duration::from_secs(minutes * 60), seed: cli.seed };
    println!("{}", report::head());
    let (verdicts, tallies) =
        faults::run_chaos(programs, chaos, |verdict| println!("{}", report::line(verdict))).await?;
    let wrong: Vec<_> = verdicts.iter().filter(|it| it.outcome == Outcome::Different).collect();
    println!("\n{}", wrong.iter().map(|it| it.difference.as_str()).collect::<String>());
    for (world, faults::Tally { kills, acknowledged }) in ["daprlet", "daprd and WasmEdge"].iter().zip(tallies) {
        println!("{world}: {kills} kills, {acknowledged} acknowledged events");
    }
    println!("{} kills after which something was wrong", wrong.len());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Both worlds on the same stores.
async fn exchanged(cli: &Cli, servers: &Running) -> anyhow::Result<Vec<Verdict>> {
    let shared = tempfile::tempdir()?;
    let servers = Servers { shared: shared.path().to_owned(), ..servers.of(0, "exchange")? };
    let programs = Programs { daprd: cli.daprd.clone(), ..Programs::default() };
    let ours = World::start(&Kind::Daprlet, &bed::exchange(), &servers).await?;
    let real = World::start(&Kind::Real(programs), &bed::exchange(), &servers).await?;
    exchange::run([&ours, &real], &cli.only, |verdict| println!("{}", report::line(verdict))).await
}

/// What is asked of one pair of worlds.
struct Round {
    /// Of its databases.
    name: String,
    bed: Bed,
    cases: Vec<Case>,
    runtime: Runtime,
}

fn rounds(cli: &Cli) -> anyhow::Result<Vec<Round>> {
    let round = |name: &str, bed, cases| Round { name: name.to_owned(), bed, cases, runtime: Runtime::default() };
    let mut api = cases::api();
    api.extend(random::cases(cli.seeds));
    let mut rounds = vec![round(API, bed::api(), api), round("guarded", bed::guarded(), cases::guarded())];
    for (number, wasmedge) in cli.wasmedge.iter().enumerate() {
        let version = real_programs::version(wasmedge)?;
        for config in [Config::Development, Config::Production] {
            let cases = named(&format!("WasmEdge {version}, {}/", config.folder()), cases::application()?);
            let name = format!("application_{number}_{config:?}").to_lowercase();
            rounds.push(Round {
                name,
                bed: bed::application(config, SETTINGS),
                cases,
                runtime: Runtime::wasmedge(wasmedge),
            });
        }
    }
    if let Some(program) = &cli.wasmtime {
        let cases = named(&format!("wasmtime {}", real_programs::version(program)?), cases::composed()?);
        let (name, bed) = ("composed".to_owned(), bed::application(Config::Production, FOR_ONE_USER));
        rounds.push(Round { name, bed, cases, runtime: Runtime::Wasmtime { program: program.clone() } });
    }
    Ok(rounds)
}

fn named(world: &str, mut cases: Vec<Case>) -> Vec<Case> {
    for case in &mut cases {
        case.name = format!("{world}: {}", case.name);
    }
    cases
}

fn conclude(cli: &Cli, verdicts: &[Verdict], known: &[Known]) -> anyhow::Result<ExitCode> {
    let different = verdicts.iter().filter(|it| it.outcome == Outcome::Different);
    let differences: String = different.map(|it| it.difference.as_str()).collect();
    let summary = report::summary(verdicts, known);
    println!("\n{differences}{summary}");
    if let Some(file) = &cli.report {
        let table: String = verdicts.iter().map(|verdict| report::line(verdict) + "\n").collect();
        let text = format!("{}\n{table}\n```\n{differences}```\n\n{summary}", report::head());
        fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    let is_good = verdicts.iter().all(|it| it.outcome != Outcome::Different);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
