//! The daprlet that is attacked: the three services, a neighbour, and the hostile apps of an attack.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{Deployment, Options, free_ports, request, wasm};

use crate::neighbour::Neighbour;

/// The app id of the hostile component.
const HOSTILE: &str = "hostile";

/// Additions of an attack to the process.
#[derive(Default)]
pub(crate) struct Setup {
    options: Options,
    hostile_port: Option<u16>,
    modules: Vec<PathBuf>,
    directory: Option<tempfile::TempDir>,
}

/// A running daprlet under attack.
pub(crate) struct Target {
    pub(crate) deployment: Deployment,
    pub(crate) neighbour: Neighbour,
    hostile_port: Option<u16>,
    _directory: Option<tempfile::TempDir>,
}

impl Setup {
    /// Adds a flag of `daprlet run`.
    pub(crate) fn flags(&mut self, flags: &[&str]) {
        self.options.arguments.extend(flags.iter().map(|it| (*it).to_owned()));
    }

    /// Adds a setting of the services, `NAME=VALUE`.
    pub(crate) fn setting(&mut self, setting: &str) {
        self.options.settings.push(setting.to_owned());
    }

    /// Adds a WasmEdge module that attacks from its start, given as text, as an app without a port.
    pub(crate) fn module(&mut self, name: &str, text: &str) {
        self.module_with(name, text, &[]);
    }

    /// The same with flags of `wasmedge`.
    pub(crate) fn module_with(&mut self, name: &str, text: &str, flags: &[&str]) {
        let directory = self.directory.get_or_insert_with(|| tempfile::tempdir().expect("a temporary directory"));
        let number = self.modules.len();
        let path = directory.path().join(format!("{name}-{number}.wasm"));
        std::fs::write(&path, wat::parse_str(text).expect("a module")).expect("a file");
        let mut command = vec!["wasmedge"];
        command.extend(flags);
        let path_text = path.display().to_string();
        command.push(&path_text);
        let command = serde_json::json!(command);
        let app = format!("- {{appID: {name}-{number}, appDirPath: more, command: {command}}}\n");
        self.options.more_apps.push_str(&app);
        self.modules.push(path);
    }

    /// Adds the component that attacks as its path says.
    pub(crate) fn component(&mut self) {
        let [port] = free_ports();
        let command = serde_json::json!(["wasmtime", "serve", wasm("components/hostile")]);
        let app = format!("- {{appID: {HOSTILE}, appDirPath: more, appPort: {port}, command: {command}}}\n");
        self.options.more_apps.push_str(&app);
        self.hostile_port = Some(port);
    }
}

impl Target {
    /// Starts it and waits until everything answers.
    pub(crate) fn start(setup: Setup) -> Self {
        let Setup { mut options, hostile_port, directory, .. } = setup;
        let [port] = free_ports();
        let command = serde_json::json!(["wasmedge", wasm("plain-server"), port.to_string()]);
        let neighbour = format!("- {{appID: neighbour, appDirPath: more, appPort: {port}, command: {command}}}\n");
        // Before the hostile apps.
        options.more_apps.insert_str(0, &neighbour);
        let deployment = Deployment::start(&options);
        for port in [Some(port), hostile_port].into_iter().flatten() {
            let url = format!("http://127.0.0.1:{port}/");
            deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
        }
        Self { deployment, neighbour: Neighbour { port }, hostile_port, _directory: directory }
    }

    /// The port of the hostile component.
    pub(crate) fn hostile_port(&self) -> Result<u16> {
        self.hostile_port.context("this attack has no component")
    }

    /// Fails where a service does not answer, or one of its instances had to be ended.
    pub(crate) fn is_well(&self) -> Result<()> {
        for response in [self.deployment.grayscale("GET", "/").send(), self.deployment.classify("GET", "/").send()] {
            ensure!(response.status == 200, "afterwards a service answers {}", response.status);
        }
        let health = self.deployment.dapr("GET", "/v1.0/healthz").send();
        ensure!(health.status == 204, "afterwards the Dapr API answers {}", health.status);
        let log = self.deployment.daprlet.said();
        let is_of_service = |line: &&str| line.contains("image-api") || line.contains("events-service");
        let ended = log.lines().filter(is_of_service).find(|line| line.contains("restarting"));
        ensure!(ended.is_none(), "an instance ended: {}", ended.unwrap_or_default());
        Ok(())
    }

    /// The memory of the process in MiB.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that the process ever had, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.deployment.daprlet.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
    }

    /// Interrupts the process and returns the time until its end.
    pub(crate) fn interrupt(self) -> Duration {
        let begin = Instant::now();
        self.deployment.daprlet.interrupt();
        let _ = self.deployment.daprlet.wait();
        begin.elapsed()
    }
}

/// Counts equal words: `200 x 12, 503 x 3`.
pub(crate) fn tally(words: &[String]) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    let mut text = String::new();
    for (word, count) in counts {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{word} x {count}");
    }
    text
}
