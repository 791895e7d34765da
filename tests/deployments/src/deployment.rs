//! A running set of sidecars, in daprlet or in real `daprd`.

mod daprd;
mod daprlet;
mod files;
mod managed_process;
mod pluggable;
mod runtime;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use test_servers::free_port;

use crate::deployment::managed_process::ManagedProcess;
use crate::request::{Database, Payload, To};
use crate::response::RecordedResponse;
use crate::topology::{App, Topology};
use crate::{client, echo, faults::Faults};

pub use runtime::Runtime;

/// Timeout for anything to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// Delay between two checks.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Implementation of Dapr.
#[derive(Clone, Debug)]
pub enum Kind {
    /// daprlet, as built with the harness.
    Daprlet,
    /// Real `daprd`.
    Real(Programs),
}

/// Paths of the real programs.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// Path of `daprd`.
    pub daprd: PathBuf,
    /// Runtime of the services; unused without services.
    pub runtime: Runtime,
}

/// Addresses of the servers that components connect to; by default none.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// Address of Redis, HOST:PORT.
    pub redis: String,
    /// Address of MySQL in the notation of Go's driver.
    pub mysql: String,
    /// Address of MySQL as a URL.
    pub mysql_url: String,
    /// Name of the database.
    pub database: String,
    /// Directory that both deployments may use.
    pub shared: PathBuf,
    /// Process id of the MySQL server.
    pub mysql_process: u32,
}

/// A running set of sidecars.
pub struct Deployment {
    ports: BTreeMap<To, u16>,
    members: Vec<ManagedProcess>,
    faults: Option<Faults>,
    /// Working directory.
    pub folder: TempDir,
    /// Name of the database.
    pub database: String,
    database_process: u32,
}

impl Deployment {
    /// Starts all sidecars of `topology`, and waits until they can reach each other.
    ///
    /// # Errors
    /// If they do not become ready; the error has their output.
    pub async fn start(kind: &Kind, topology: &Topology, servers: &Servers) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let mut ports = BTreeMap::new();
        for sidecar in &topology.sidecars {
            ports.insert(To::Dapr(sidecar.id), free_port());
            ports.insert(To::Grpc(sidecar.id), free_port());
            match sidecar.app {
                App::Echo => ports.insert(To::App(sidecar.id), echo::start().await?),
                App::Down | App::Service => ports.insert(To::App(sidecar.id), free_port()),
                App::None => None,
            };
        }
        let outside = echo::start().await?;
        ports.insert(To::App("outside"), outside);
        files::write(folder.path(), topology, servers, &format!("127.0.0.1:{outside}"))?;
        let mut members = pluggable::start(folder.path(), topology);
        let begin = Instant::now();
        while !pluggable::are_served(&members) {
            let output = || members.iter().map(ManagedProcess::output).collect::<String>();
            ensure!(begin.elapsed() < READY_TIMEOUT, "components are not served after {READY_TIMEOUT:?}: {}", output());
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let mut faults = None;
        match kind {
            Kind::Daprlet => {
                let (daprlet, its_faults) = daprlet::start(folder.path(), topology, &ports)?;
                members.push(daprlet);
                faults = its_faults;
            }
            Kind::Real(programs) => members.extend(daprd::start(programs, folder.path(), topology, &ports)?),
        }
        let database = servers.database.clone();
        let deployment = Self { ports, members, faults, folder, database, database_process: servers.mysql_process };
        deployment.wait_until_ready(topology).await?;
        Ok(deployment)
    }

    /// Sends one request to a port of the deployment.
    pub async fn send(&self, to: To, request: http::request::Builder, payload: Payload) -> RecordedResponse {
        match self.port(to) {
            Some(port) => client::send(port, request, payload).await,
            None => RecordedResponse {
                body: format!("{to:?} is not in this deployment").into_bytes(),
                ..RecordedResponse::default()
            },
        }
    }

    /// Stops or continues the database server.
    pub fn change(&self, database: Database) {
        let signal = match database {
            Database::Freeze => Signal::STOP,
            Database::Thaw => Signal::CONT,
        };
        let process = i32::try_from(self.database_process).ok().and_then(Pid::from_raw);
        // If the server is gone, the responses show it.
        let _ = process.map(|process| kill_process(process, signal));
    }

    /// Returns the faults of the machine under daprlet, if they can be controlled.
    #[must_use]
    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    /// Returns the port of a destination.
    #[must_use]
    pub fn port(&self, to: To) -> Option<u16> {
        self.ports.get(&to).copied()
    }

    /// Returns all ports by destination.
    #[must_use]
    pub fn ports(&self) -> &BTreeMap<To, u16> {
        &self.ports
    }

    /// Returns the process ids: daprlet, or each `daprd` and each service.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.members.iter().map(ManagedProcess::id).collect()
    }

    /// Returns the process names: `daprlet`; or `daprd of ID` and, for a service, `ID`.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// Kills one process with SIGKILL.
    ///
    /// # Errors
    /// If there is no process of that name.
    pub fn kill(&self, name: &str) -> anyhow::Result<()> {
        self.member(name)?.kill();
        Ok(())
    }

    /// Restarts a process on the same ports and in the same directory. Does not wait until it is ready.
    ///
    /// # Errors
    /// If there is no process of that name.
    pub fn restart(&self, name: &str) -> anyhow::Result<()> {
        self.member(name)?.restart();
        Ok(())
    }

    fn member(&self, name: &str) -> anyhow::Result<&ManagedProcess> {
        self.members.iter().find(|it| it.name == name).with_context(|| format!("{name:?} is not in this deployment"))
    }

    /// Returns the output of all processes.
    #[must_use]
    pub fn output(&self) -> String {
        self.members.iter().map(ManagedProcess::output).collect::<Vec<_>>().join("\n")
    }

    /// Waits until every sidecar has its components, and reaches all others with an application.
    async fn wait_until_ready(&self, topology: &Topology) -> anyhow::Result<()> {
        let first = topology.sidecars.first().map(|it| it.id).unwrap_or_default();
        for sidecar in &topology.sidecars {
            let path = if sidecar.app == App::Down { "/v1.0/healthz/outbound" } else { "/v1.0/healthz" };
            self.until(To::Dapr(sidecar.id), path, |status| status == 204).await?;
        }
        let has_app = |app| matches!(app, App::Echo | App::Service);
        for sidecar in topology.sidecars.iter().filter(|it| has_app(it.app) && topology.sidecars.len() > 1) {
            let path = format!("/v1.0/invoke/{}/method/", sidecar.id);
            self.until(To::Dapr(first), &path, |status| status == 200 || status == 403).await?;
        }
        Ok(())
    }

    /// Restarts each `daprd` that has ended, as Kubernetes would.
    ///
    /// A `daprd` that finds a SQLite file locked, because another one is creating its tables there, exits instead of
    /// waiting.
    fn revive_sidecars(&self) {
        let ended = self.members.iter().filter(|it| daprd::is_sidecar(&it.name) && it.has_ended());
        ended.for_each(ManagedProcess::restart);
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
            let output = || format!("{to:?} {path}: {}\n{}", answer.in_full(), self.output());
            self.revive_sidecars();
            ensure!(begin.elapsed() < READY_TIMEOUT, "not ready after {READY_TIMEOUT:?}: {}", output());
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
