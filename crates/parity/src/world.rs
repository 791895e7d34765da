//! A bed of sidecars, made of daprlet or of real `daprd`.

mod daprd;
mod daprlet;
mod files;
pub(crate) mod ports;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e::Process;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::bed::{App, Bed};
use crate::case::{Payload, To};
use crate::{client, echo};

/// The longest that anything takes to become ready.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Who plays Dapr.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Daprlet,
    /// The real one; where the program is.
    Daprd(PathBuf),
}

/// The servers that components of a world lead to.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    /// HOST:PORT.
    pub(crate) redis: String,
    /// As Go's driver writes it.
    pub(crate) mysql: String,
    /// The name of the database in there.
    pub(crate) database: String,
}

/// Running sidecars.
pub(crate) struct World {
    ports: BTreeMap<To, u16>,
    processes: Vec<Process>,
    pub(crate) folder: TempDir,
    /// The name of its database.
    pub(crate) database: String,
}

impl World {
    /// Starts all sidecars of `bed` and waits until they can reach each other.
    pub(crate) async fn start(kind: &Kind, bed: &Bed, servers: &Servers) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let mut ports = BTreeMap::new();
        let mut free = ports::free(bed.sidecars.len() * 2)?.into_iter();
        for sidecar in &bed.sidecars {
            ports.insert(To::Dapr(sidecar.id), ports::next(&mut free)?);
            match sidecar.app {
                App::Echo => ports.insert(To::App(sidecar.id), echo::start().await?),
                App::Down => ports.insert(To::App(sidecar.id), ports::next(&mut free)?),
                App::None => None,
            };
        }
        files::write(folder.path(), bed, servers)?;
        let processes = match kind {
            Kind::Daprlet => daprlet::start(folder.path(), bed, &ports)?,
            Kind::Daprd(program) => daprd::start(program, folder.path(), bed, &ports)?,
        };
        let database = servers.database.clone();
        let world = Self { ports, processes, folder, database };
        world.wait_until_ready(bed).await?;
        Ok(world)
    }

    /// Sends one request to one of the world's ports.
    pub(crate) async fn send(&self, to: To, request: http::request::Builder, payload: Payload) -> Answer {
        match self.port(to) {
            Some(port) => client::send(port, request, payload).await,
            None => Answer { body: format!("{to:?} is not in this world").into_bytes(), ..Answer::default() },
        }
    }

    pub(crate) fn port(&self, to: To) -> Option<u16> {
        self.ports.get(&to).copied()
    }

    /// All ports, and whose they are.
    pub(crate) fn ports(&self) -> &BTreeMap<To, u16> {
        &self.ports
    }

    /// What the processes have said.
    pub(crate) fn said(&self) -> String {
        self.processes.iter().map(Process::said).collect::<Vec<_>>().join("\n")
    }

    /// Every sidecar has its components, and each finds those that have an application.
    async fn wait_until_ready(&self, bed: &Bed) -> anyhow::Result<()> {
        let first = bed.sidecars.first().map(|it| it.id).unwrap_or_default();
        for sidecar in &bed.sidecars {
            let path = if sidecar.app == App::Down { "/v1.0/healthz/outbound" } else { "/v1.0/healthz" };
            self.until(To::Dapr(sidecar.id), path, |status| status == 204).await?;
        }
        for sidecar in bed.sidecars.iter().filter(|it| it.app == App::Echo && bed.sidecars.len() > 1) {
            let path = format!("/v1.0/invoke/{}/method/ready", sidecar.id);
            self.until(To::Dapr(first), &path, |status| status == 200 || status == 403).await?;
        }
        Ok(())
    }

    async fn until(&self, to: To, path: &str, ready: impl Fn(u16) -> bool) -> anyhow::Result<()> {
        let begin = Instant::now();
        let token = ("dapr-api-token", "asked");
        loop {
            let request = client::request("GET", path, "localhost").header(token.0, token.1);
            let answer = self.send(to, request, Payload::Whole(bytes::Bytes::new())).await;
            if ready(answer.status) {
                return Ok(());
            }
            let told = || format!("{to:?} {path}: {}\n{}", answer.in_full(), self.said());
            ensure!(begin.elapsed() < PATIENCE, "not ready after {PATIENCE:?}: {}", told());
            tokio::time::sleep(PAUSE).await;
        }
    }
}
