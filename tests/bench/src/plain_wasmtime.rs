//! One component in daprlet and under plain `wasmtime serve`, if installed.
//!
//! It is the grayscale service, composed with Dapr's HTTP API, so that it imports nothing of Dapr.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use e2e::{Deployment, Options, Process, request, wasm};

use crate::bench::{free_port, load};
use crate::processes::processor_time;
use crate::row::Row;
use crate::turns::{TURNS, by_turns};

/// Requests handled by an instance that is reused.
const REQUESTS_PER_INSTANCE: &str = "1000000";

/// Capacity of one server.
struct Capacity {
    rate: f64,
    /// Processor time of a request.
    cost: Duration,
}

/// Measures `GET /` with a fresh instance for each request, and with reused instances.
pub(crate) fn rows(seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let Some(program) = toolchains::wasmtime() else { return Ok(Vec::new()) };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("composed.wasm");
    compose(&file)?;
    let flags: [&[&str]; 2] = [&[], &["--max-instance-reuse-count", REQUESTS_PER_INSTANCE]];
    let ports = [free_port()?, free_port()?];
    let apps = flags.iter().zip(ports).map(|(flags, port)| {
        let command = ["wasmtime", "serve", "-Scli"].iter().chain(*flags).map(|it| (*it).to_owned());
        let command = serde_json::json!(command.chain([file.display().to_string()]).collect::<Vec<_>>());
        format!("- {{appID: app-{port}, appDirPath: more, appPort: {port}, daprHTTPPort: 0, command: {command}}}\n")
    });
    let deployment = Deployment::start(&Options { more_apps: apps.collect(), ..Options::default() });
    let whats = [
        "`GET /` of one component, a fresh instance each, requests/s at 16 connections (processor time of each)",
        "`GET /` of one component, instances used again, requests/s at 16 connections (processor time of each)",
    ];
    let mut rows = Vec::new();
    for ((what, flags), port) in whats.into_iter().zip(flags).zip(ports) {
        let plain = free_port()?;
        let mut serve = Command::new(&program);
        serve.args(["serve", "-Scli", "--addr", &format!("127.0.0.1:{plain}")]).args(flags).arg(&file);
        let serve = Process::spawn(&mut serve);
        let both =
            || Ok((capacity(&deployment.daprlet, port, seconds / TURNS)?, capacity(&serve, plain, seconds / TURNS)?));
        let (ours, theirs) = by_turns(|(ours, theirs)| ours.rate / theirs.rate, both)?;
        let shown = |it: &Capacity| format!("{:.0} ({} us)", it.rate, it.cost.as_micros());
        rows.push(Row {
            what,
            measured: shown(&ours),
            compared: format!("wasmtime serve {}", shown(&theirs)),
            ratio: format!("{:.2}", ours.rate / theirs.rate),
            must: "1",
            hope: "",
        });
    }
    Ok(rows)
}

fn compose(to: &Path) -> anyhow::Result<()> {
    let mut compose = Command::new(e2e::program());
    compose.arg("compose").arg(wasm("components/image-api-grayscale"));
    compose.arg("--plug").arg(wasm("components/dapr-over-http")).arg("--output").arg(to);
    let composed = compose.output()?;
    ensure!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
    Ok(())
}

fn capacity(server: &Process, port: u16, seconds: Duration) -> anyhow::Result<Capacity> {
    let url = format!("http://127.0.0.1:{port}/");
    server.until(|| (request("GET", &url).send().status == 200).then_some(()));
    let before = processor_time(&[server.id()])?;
    let outcome = load(port, &["--connections", "16"], seconds)?;
    let spent = processor_time(&[server.id()])?.saturating_sub(before);
    let requests = u32::try_from(outcome.warming + outcome.requests)?.max(1);
    Ok(Capacity { rate: outcome.rate, cost: spent / requests })
}
