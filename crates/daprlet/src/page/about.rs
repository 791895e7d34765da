//! Facts about this process for the page: `GET /daprlet.json`.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use daprlet_host::{AppSpec, Command, RunningApp};
use serde_json::{Value, json};

use super::source;

/// Path of the document.
pub(crate) const PATH: &str = "daprlet.json";

/// Facts that do not change while the process runs, and the time at which it was ready.
pub(crate) struct About {
    started: Instant,
    ready_after: OnceLock<Duration>,
    apps: Vec<(String, &'static str)>,
    ports: OnceLock<Vec<Option<u16>>>,
    source: Option<String>,
}

impl About {
    /// Collects facts about a process that is about to start `apps` and serve the page in `page`.
    pub(crate) fn new(apps: &[AppSpec], page: Option<&Path>) -> Self {
        let apps = apps.iter().map(|app| (app.id.clone(), kind(&app.workload.command))).collect();
        let source = page.and_then(source::from_directory);
        Self { started: Instant::now(), ready_after: OnceLock::new(), apps, ports: OnceLock::new(), source }
    }

    /// Records the addresses of the applications.
    pub(crate) fn listening(&self, running: &[RunningApp]) {
        let ports = running.iter().map(|app| app.address.map(|address| address.port())).collect();
        // The ports are bound only once.
        let _ = self.ports.set(ports);
    }

    /// Records that every application is ready.
    pub(crate) fn ready(&self) {
        let _ = self.ready_after.set(self.started.elapsed());
    }

    /// Returns the document. Unknown values are null.
    pub(crate) fn json(&self) -> Value {
        let port = |at: usize| self.ports.get().and_then(|ports| ports.get(at).copied().flatten());
        let apps: Vec<Value> = self
            .apps
            .iter()
            .enumerate()
            .map(|(at, (id, kind))| json!({ "id": id, "kind": kind, "port": port(at) }))
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "memory_bytes": resident_bytes(),
            "ready_after_ms": self.ready_after.get().map(|time| time.as_millis()),
            "apps": apps,
            "source": self.source,
        })
    }
}

/// Returns the kind of an application: a WebAssembly guest, a process of its own, or external.
fn kind(command: &Command) -> &'static str {
    match command {
        Command::Process(_) => "process",
        Command::None => "external",
        _ => "wasm",
    }
}

/// Returns the resident memory of this process, if the system reports it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
