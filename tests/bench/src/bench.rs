//! The measured daprlet, with a counting guest and an in-memory store.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e::{Deployment, Options, request, wasm};

use crate::load::Outcome;

const IN_MEMORY: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: memory}
spec: {type: state.in-memory, version: v1}
";

/// A running daprlet and the port of the counting guest.
pub(crate) struct Bench {
    pub(crate) deployment: Deployment,
    pub(crate) counter: u16,
    seconds: Duration,
}

impl Bench {
    pub(crate) fn start(seconds: Duration) -> anyhow::Result<Self> {
        let counter = free_port()?;
        let command = serde_json::json!(["wasmedge", wasm("plain-server"), counter.to_string()]);
        let options = Options {
            more_apps: format!(
                "- {{appID: counter, appDirPath: more, appPort: {counter}, env: {{DAPRLET_INSTANCES: 1}}, command: {command}}}\n"
            ),
            components: vec![("memory.yaml".to_owned(), IN_MEMORY.to_owned())],
            // Disables the rate limit, which is not measured.
            settings: vec!["RATE_LIMIT_PER_MINUTE=0".to_owned()],
            ..Options::default()
        };
        // Modules may have to be compiled first, and the process that did so keeps memory for it: restart.
        let deployment = Deployment::start(&options).restart(&options);
        deployment.daprlet.until(|| std::net::TcpStream::connect(("127.0.0.1", counter)).ok().map(drop));
        Ok(Self { deployment, counter, seconds })
    }

    /// Returns the number of requests to the counting guest.
    pub(crate) fn count_requests(&self) -> anyhow::Result<u64> {
        let answer = request("GET", &format!("http://127.0.0.1:{}/count", self.counter)).send();
        answer.text().parse().context("the counter")
    }

    pub(crate) fn get(&self, port: u16, path: &str, connections: usize) -> anyhow::Result<Outcome> {
        load(port, &["--path", path, "--connections", &connections.to_string()], self.seconds)
    }
}

/// Runs the load generator in a separate process. A short first run warms connections and caches.
pub(crate) fn load(port: u16, arguments: &[&str], seconds: Duration) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut warming = 0;
    for millis in [500, seconds.as_millis()] {
        let output = Command::new(std::env::current_exe()?)
            .args(["load", "--address", &format!("127.0.0.1:{port}"), "--millis", &millis.to_string()])
            .args(arguments)
            .output()?;
        ensure!(output.status.success(), "load: {}", String::from_utf8_lossy(&output.stderr));
        warming = outcome.requests;
        outcome = serde_json::from_slice(&output.stdout)?;
    }
    Ok(Outcome { warming, ..outcome })
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    let [port] = e2e::free_ports();
    Ok(port)
}
