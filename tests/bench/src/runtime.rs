//! A state read by a component application, compared with one over HTTP from daprlet and from a real `daprd`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use deployments::{Kind, Programs, Runtime, Servers, Sidecar, To, Topology};
use e2e::{Options, request, wasm};

use crate::bench::{free_port, load};
use crate::row::Row;

/// An in-memory store: the fastest, so that the call itself dominates.
const MEMORY: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: memory}
spec: {type: state.in-memory, version: v1}
";

/// Path of the record that the fixture `state-clock` reads.
const RECORD: &str = "/v1.0/state/memory/key";

/// Measures one `get` through `dapr:runtime`. `DAPRD` names a real `daprd`.
pub(crate) fn rows(seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let (port, dapr_port) = (free_port()?, free_port()?);
    let command = serde_json::json!(["wasmtime", "serve", "-Scli", wasm("components/state-clock")]);
    let app = serde_json::json!({
        "appID": "state-clock", "appDirPath": "more", "appPort": port, "daprHTTPPort": dapr_port, "command": command,
    });
    let components = vec![("memory.yaml".to_owned(), MEMORY.to_owned())];
    let deployment =
        e2e::Deployment::start(&Options { more_apps: format!("- {app}\n"), components, ..Options::default() });
    let url = format!("http://127.0.0.1:{port}/");
    deployment.daprlet.until(|| std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let text = request("GET", &url).send().text();
    let nanoseconds: f64 = text.parse().with_context(|| text.clone())?;
    let function = nanoseconds / 1000.0;
    let http = load(dapr_port, &["--path", RECORD], seconds)?.p50;
    drop(deployment);
    let mut rows = vec![row(function, "HTTP to daprlet", http, "30 us")];
    if let Some(daprd) = std::env::var_os("DAPRD") {
        rows.push(row(
            function,
            "HTTP to the real daprd, its state.in-memory",
            measure_daprd(daprd.into(), seconds)?,
            "0.1",
        ));
    }
    Ok(rows)
}

fn row(function: f64, beside: &str, http: f64, must: &'static str) -> Row {
    Row {
        what: "state read from state.in-memory through `dapr:runtime`, p50",
        measured: format!("{function:.1} us"),
        compared: format!("{beside} {http:.0} us"),
        ratio: format!("{:.3}", function / http),
        must,
        hope: "",
    }
}

/// Measures the same read from a sidecar without an application, in microseconds.
fn measure_daprd(daprd: PathBuf, seconds: Duration) -> anyhow::Result<f64> {
    let alone = Sidecar { id: "alone", app: deployments::App::None, components: &[MEMORY], configuration: None };
    let topology = Topology {
        sidecars: vec![alone],
        config: None,
        environment: &[],
        flags: &[],
        settings: Vec::new(),
        pluggable: &[],
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let kind = Kind::Real(Programs { daprd, runtime: Runtime::default() });
    let deployment = runtime.block_on(deployments::Deployment::start(&kind, &topology, &Servers::default()))?;
    let port = deployment.port(To::Dapr("alone")).context("a port")?;
    let record = r#"[{"key": "key", "value": "a value"}]"#;
    let saved = request("POST", &format!("http://127.0.0.1:{port}/v1.0/state/memory")).body(record).send();
    anyhow::ensure!(saved.status == 204, "{} {}", saved.status, saved.text());
    Ok(load(port, &["--path", RECORD], seconds)?.p50)
}
