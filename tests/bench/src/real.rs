//! Compares daprlet with the real Dapr and the real WasmEdge: the same services, components and servers.

mod machine;
mod report;
mod two_writes;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use deployments::{Config, Deployment, DeploymentServers, Kind, Payload, Programs, Runtime, To, topology};
use e2e::wasm;

use crate::bench::load;
use crate::figures::begin;
use crate::load::Outcome;
use crate::processes::{self, Usage};
use crate::turns::by_turns;
use crate::wasmedge;

/// Disables the rate limit, which is not measured.
const SETTINGS: &[&str] = &["RATE_LIMIT_PER_MINUTE=0"];
const SAMPLE: &[u8] = include_bytes!("../../../docs/sample.jpg");

const GRAYSCALE: &str = "image-api-grayscale";
const CLASSIFY: &str = "image-api-classify";

/// Programs to compare with, and the report.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Path of the real `daprd`
    #[arg(long, env = "DAPRD", default_value = "daprd")]
    daprd: PathBuf,

    /// Path of the real WasmEdge
    #[arg(long, env = "WASMEDGE", default_value = "wasmedge")]
    wasmedge: PathBuf,

    /// File for the report
    #[arg(long, default_value = "BENCHMARKS.md")]
    report: PathBuf,
}

/// Measurements of one load in one deployment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) outcome: Outcome,
    /// Processor time per request in microseconds, without servers and load generator.
    pub(crate) cpu: f64,
}

/// Measurements of a deployment before any load.
#[derive(Debug)]
pub(crate) struct About {
    /// Memory of the idle deployment.
    pub(crate) usage: Usage,
    /// Time from nothing running to the first image, in seconds.
    pub(crate) start: f64,
}

/// A load: request, target and number of connections.
pub(crate) struct Load {
    pub(crate) what: &'static str,
    to: To,
    method: &'static str,
    path: &'static str,
    body: &'static [u8],
    pub(crate) connections: usize,
}

/// Returns all loads, each over one connection and over sixteen.
pub(crate) fn loads() -> Vec<Load> {
    let dapr = To::Dapr(GRAYSCALE);
    let one: [(&str, To, &str, &str, &[u8]); 7] = [
        ("`GET /` of a service, directly", To::App(GRAYSCALE), "GET", "/", b""),
        ("invocation through one sidecar", dapr, "GET", "/v1.0/invoke/image-api-grayscale/method/", b""),
        ("invocation through two sidecars", dapr, "GET", "/v1.0/invoke/events-service/method/", b""),
        ("state get (Redis)", dapr, "GET", "/v1.0/state/statestore/bench", b""),
        ("state set (Redis)", dapr, "POST", "/v1.0/state/statestore", br#"[{"key":"bench","value":"a value"}]"#),
        ("`POST /grayscale`, with event and state", To::App(GRAYSCALE), "POST", "/grayscale", SAMPLE),
        ("`POST /classify`, with event and state", To::App(CLASSIFY), "POST", "/classify", SAMPLE),
    ];
    let both = one.into_iter().flat_map(|(what, to, method, path, body)| {
        [1, 16].map(|connections| Load { what, to, method, path, body, connections })
    });
    both.collect()
}

/// Measures both deployments and writes the report.
pub(crate) fn run(arguments: &Arguments, seconds: Duration) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let wasmedge = machine::WasmEdge::detect(&arguments.wasmedge)?;
    for service in [GRAYSCALE, CLASSIFY, "events-service"] {
        let compiled = wasmedge::compile(&arguments.wasmedge, &wasm(service))?;
        std::fs::copy(compiled, folder.path().join(service).with_extension("so"))?;
    }
    let runtime = Runtime::WasmEdge {
        program: arguments.wasmedge.clone(),
        flags: wasmedge.flags.clone(),
        ahead: Some(folder.path().to_owned()),
    };
    let programs = Programs { daprd: arguments.daprd.clone(), runtime };
    let servers = DeploymentServers::start()?;
    // The first start of a module compiles it; WasmEdge's modules are compiled already.
    drop(Side::start(&Kind::Daprlet, &servers)?);
    // Both run while either is measured: they take turns, because the speed of a machine varies.
    let ours = Side::start(&Kind::Daprlet, &servers)?;
    let real = Side::start(&Kind::Real(programs), &servers)?;
    let loads = measure(&ours, &real, folder.path(), seconds)?;
    let (ours, real) = (ours.about, real.about);
    let two_writes = two_writes::measure(&arguments.wasmedge, &wasmedge.flags, seconds)?;
    let text = report::write(&machine::describe(&arguments.daprd, &wasmedge)?, &loads, (&ours, &real), &two_writes);
    std::fs::write(&arguments.report, &text).with_context(|| arguments.report.display().to_string())?;
    std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes())?;
    Ok(())
}

/// One deployment, started and idle.
struct Side {
    deployment: Deployment,
    ids: Vec<u32>,
    about: About,
}

impl Side {
    fn start(kind: &Kind, servers: &DeploymentServers) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Runtime::new()?;
        let begin = Instant::now();
        let topology = topology::application(Config::Production, SETTINGS);
        let which = usize::from(matches!(kind, Kind::Real(_)));
        let deployment =
            runtime.block_on(Deployment::start(kind, &topology, &servers.create_database(which, "bench")?))?;
        let picture = deployments::request("POST", "/grayscale", "localhost");
        let body = Payload::Whole(SAMPLE.into());
        let answer = runtime.block_on(deployment.send(To::App(GRAYSCALE), picture, body));
        ensure!(answer.status == 200, "grayscale: {}", answer.in_short(500));
        let start = begin.elapsed().as_secs_f64();
        let ids = deployment.process_ids();
        let usage = processes::usage(&ids)?;
        Ok(Self { deployment, ids, about: About { usage, start } })
    }

    fn measure(&self, load: &Load, folder: &Path, seconds: Duration) -> anyhow::Result<Figure> {
        let before = processes::processor_time(&self.ids)?;
        let outcome = one(&self.deployment, load, folder, seconds)?;
        let spent = processes::processor_time(&self.ids)? - before;
        let requests = (outcome.warming + outcome.requests) as f64;
        Ok(Figure { outcome, cpu: spent.as_secs_f64() * 1e6 / requests })
    }
}

/// Measures all loads on both deployments, in the order of [`loads`].
fn measure(ours: &Side, real: &Side, folder: &Path, seconds: Duration) -> anyhow::Result<Vec<(Figure, Figure)>> {
    let loads = loads();
    // Writes come before reads, so that there is something to read.
    let set = loads.iter().find(|load| load.what.starts_with("state set")).context("a load")?;
    for side in [ours, real] {
        one(&side.deployment, set, folder, Duration::from_millis(100))?;
    }
    let by_turns = |load: &Load| {
        begin(&format!("{}, connections: {}", load.what, load.connections));
        let both = || Ok((ours.measure(load, folder, seconds)?, real.measure(load, folder, seconds)?));
        by_turns(|(ours, real): &(Figure, Figure)| real.outcome.p50 / ours.outcome.p50, both)
    };
    loads.iter().map(by_turns).collect()
}

fn one(deployment: &Deployment, what: &Load, folder: &Path, seconds: Duration) -> anyhow::Result<Outcome> {
    let file = folder.join("body");
    std::fs::write(&file, what.body)?;
    let port = deployment.port(what.to).context("a port")?;
    let (connections, file) = (what.connections.to_string(), file.display().to_string());
    let arguments = ["--method", what.method, "--path", what.path, "--connections", &connections, "--body", &file];
    load(port, &arguments, seconds).with_context(|| what.what.to_owned())
}
