//! `cargo xtask parity`: sends the same requests to daprlet and real `daprd`, and prints a table of differences.
//!
//! No expected responses are written down: the running `daprd` provides them.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod case;
mod cases;
mod conformance;
mod exchange;
mod faults;
mod known;
mod normalise;
mod random;
mod report;
mod run_case;
mod suite;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use deployments::{Config, Deployment, DeploymentServers, Kind, Programs, Runtime, Servers, Topology, topology};

use crate::case::Case;
use crate::known::KnownDifference;
use crate::suite::{Outcome, Verdict};

/// Settings of the services: a burst of requests for each user, then one a minute.
///
/// WasmEdge interprets the portable modules, and its first inference alone takes half a second, the default deadline of
/// events.
const SETTINGS: &[&str] = &[
    "RATE_LIMIT_PER_MINUTE=1",
    "RATE_LIMIT_BURST=4",
    "TRUSTED_PROXIES=loopback",
    "ALLOW_DELETE_EVENTS=true",
    "EVENT_DEADLINE_MS=1500",
];

/// Settings under `wasmtime serve`.
///
/// All users are one there, and every request gets a fresh instance, which first prepares the database and takes its
/// time.
const SETTINGS_FOR_ONE_USER: &[&str] = &[
    "RATE_LIMIT_PER_MINUTE=0",
    "TRUSTED_PROXIES=loopback",
    "ALLOW_DELETE_EVENTS=true",
    "EVENT_DEADLINE_MS=20000",
    "DATABASE_DEADLINE_MS=20000",
];

/// Name of the round with the state stores.
const API: &str = "api";

/// Sends the same requests to daprlet and the real Dapr, and fails if responses differ
#[derive(Debug, Parser)]
struct Cli {
    /// Path of the real `daprd`
    #[arg(long, env = "DAPRD", default_value = "daprd")]
    daprd: PathBuf,

    /// Path of a real WasmEdge; repeat it for several versions
    #[arg(long, env = "WASMEDGE", default_value = "wasmedge")]
    wasmedge: Vec<PathBuf>,

    /// Path of a real wasmtime, which runs the services as components
    #[arg(long, env = "WASMTIME")]
    wasmtime: Option<PathBuf>,

    /// Run only cases whose name contains this text
    #[arg(long, default_value = "")]
    only: String,

    /// Instead of the suite, kill processes at random for this many minutes, and check for lost events
    #[arg(long, value_name = "MINUTES")]
    chaos: Option<u64>,

    /// Seed of `--chaos`
    #[arg(long, default_value_t = 0, requires = "chaos")]
    seed: u64,

    /// With `--chaos`, kill only daprlet's processes
    #[arg(long, requires = "chaos")]
    only_daprlet: bool,

    /// Number of random sequences of state operations, beyond the fixed ones
    #[arg(long, default_value_t = 0)]
    seeds: u64,

    /// File to which the table and the differences are also written
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let known = known::read()?;
    if let Some(minutes) = cli.chaos {
        return run_chaos(&cli, minutes).await;
    }
    let servers = DeploymentServers::start()?;
    println!("{}", report::head());
    let mut verdicts = Vec::new();
    if "exchange: ".contains(&cli.only) || cli.only.starts_with("exchange") {
        verdicts.extend(run_exchange(&cli, &servers).await?);
    }
    for round in rounds(&cli)? {
        let cases: Vec<_> = round.cases.into_iter().filter(|case| case.name.contains(&cli.only)).collect();
        let has_stores = round.name == API && conformance::is_wanted(&cli.only);
        if cases.is_empty() && !has_stores {
            continue;
        }
        let (ours, real) = (servers.create_database(0, &round.name)?, servers.create_database(1, &round.name)?);
        let programs = Programs { daprd: cli.daprd.clone(), runtime: round.runtime };
        let ours = Deployment::start(&Kind::Daprlet, &round.topology, &ours).await?;
        let real = Deployment::start(&Kind::Real(programs), &round.topology, &real).await?;
        let print = |verdict: &Verdict| println!("{}", report::line(verdict));
        verdicts.extend(suite::run([&ours, &real], cases, &known, print).await?);
        if has_stores {
            verdicts.extend(conformance::run(&real, print).await?);
        }
    }
    verdicts.extend(faults(&cli).await?);
    conclude(&cli, &verdicts, &known)
}

/// Runs the fault suite. The first WasmEdge is enough: the processes around it make the difference.
async fn faults(cli: &Cli) -> anyhow::Result<Vec<Verdict>> {
    let runtime = cli.wasmedge.first().map(Runtime::wasmedge).unwrap_or_default();
    let programs = Programs { daprd: cli.daprd.clone(), runtime };
    faults::run(&programs, &cli.only, |verdict| println!("{}", report::line(verdict))).await
}

/// Kills processes at random, and prints the totals of each deployment.
async fn run_chaos(cli: &Cli, minutes: u64) -> anyhow::Result<ExitCode> {
    let runtime = cli.wasmedge.first().map(Runtime::wasmedge).unwrap_or_default();
    let programs = Programs { daprd: cli.daprd.clone(), runtime };
    let programs = (!cli.only_daprlet).then_some(&programs);
    let chaos = faults::Chaos { duration: Duration::from_secs(minutes * 60), seed: cli.seed };
    println!("{}", report::head());
    let (verdicts, tallies) =
        faults::run_chaos(programs, chaos, |verdict| println!("{}", report::line(verdict))).await?;
    let wrong: Vec<_> = verdicts.iter().filter(|it| it.outcome == Outcome::Different).collect();
    println!("\n{}", wrong.iter().map(|it| it.difference.as_str()).collect::<String>());
    for (deployment, faults::Tally { kills, other_faults, acknowledged }) in
        ["daprlet", "daprd and WasmEdge"].iter().zip(tallies)
    {
        println!("{deployment}: {kills} kills, {other_faults} other faults, {acknowledged} acknowledged events");
    }
    println!("{} faults after which something was wrong", wrong.len());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the exchange suite on shared stores.
async fn run_exchange(cli: &Cli, servers: &DeploymentServers) -> anyhow::Result<Vec<Verdict>> {
    let shared = tempfile::tempdir()?;
    let servers = Servers { shared: shared.path().to_owned(), ..servers.create_database(0, "exchange")? };
    let programs = Programs { daprd: cli.daprd.clone(), ..Programs::default() };
    let ours = Deployment::start(&Kind::Daprlet, &topology::exchange(), &servers).await?;
    let real = Deployment::start(&Kind::Real(programs), &topology::exchange(), &servers).await?;
    exchange::run([&ours, &real], &cli.only, |verdict| println!("{}", report::line(verdict))).await
}

/// Cases for one pair of deployments.
struct Round {
    /// Name of the round and of its databases.
    name: String,
    topology: Topology,
    cases: Vec<Case>,
    runtime: Runtime,
}

fn rounds(cli: &Cli) -> anyhow::Result<Vec<Round>> {
    let round =
        |name: &str, topology, cases| Round { name: name.to_owned(), topology, cases, runtime: Runtime::default() };
    let mut api = cases::api();
    api.extend(random::cases(cli.seeds));
    let mut rounds = vec![round(API, topology::api(), api), round("guarded", topology::guarded(), cases::guarded())];
    for (number, wasmedge) in cli.wasmedge.iter().enumerate() {
        let version = toolchains::version(wasmedge)?;
        for config in [Config::Development, Config::Production] {
            let cases = prefix_names(&format!("WasmEdge {version}, {}/", config.folder()), cases::application()?);
            let name = format!("application_{number}_{config:?}").to_lowercase();
            rounds.push(Round {
                name,
                topology: topology::application(config, SETTINGS),
                cases,
                runtime: Runtime::wasmedge(wasmedge),
            });
        }
    }
    if let Some(program) = &cli.wasmtime {
        let cases = prefix_names(&format!("wasmtime {}", toolchains::version(program)?), cases::composed()?);
        let (name, topology) =
            ("composed".to_owned(), topology::application(Config::Production, SETTINGS_FOR_ONE_USER));
        rounds.push(Round { name, topology, cases, runtime: Runtime::Wasmtime { program: program.clone() } });
    }
    Ok(rounds)
}

fn prefix_names(deployment: &str, mut cases: Vec<Case>) -> Vec<Case> {
    for case in &mut cases {
        case.name = format!("{deployment}: {}", case.name);
    }
    cases
}

fn conclude(cli: &Cli, verdicts: &[Verdict], known: &[KnownDifference]) -> anyhow::Result<ExitCode> {
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
