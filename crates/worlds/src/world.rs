//! A bed of sidecars, made of daprlet or of real `daprd`.

mod daprd;
mod daprlet;
mod files;
mod member;
mod pluggable;
mod runtime;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use test_servers::free_port;

use crate::answer::Answer;
use crate::bed::{App, Bed};
use crate::request::{Database, Payload, To};
use crate::world::member::Member;
use crate::{client, echo};

pub use runtime::Runtime;

/// The longest that anything takes to become ready.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Who plays Dapr.
#[derive(Clone, Debug)]
pub enum Kind {
    /// daprlet, which was built with the harness.
    Daprlet,
    /// The real one.
    Real(Programs),
}

/// Where the real programs are.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// `daprd`.
    pub daprd: PathBuf,
    /// What runs services; not used by beds without any.
    pub runtime: Runtime,
}

/// The servers that components of a world lead to; by default none.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// HOST:PORT.
    pub redis: String,
    /// As Go's driver writes it.
    pub mysql: String,
    /// The same as an URL.
    pub mysql_url: String,
    /// The name of the database in there.
    pub database: String,
    /// A folder that both worlds may use.
    pub shared: PathBuf,
    /// The process of the server.
    pub mysql_process: u32,
}

/// Running sidecars.
pub struct World {
    ports: BTreeMap<To, u16>,
    members: Vec<Member>,
    /// Where its files are.
    pub folder: TempDir,
    /// The name of its database.
    pub database: String,
    database_process: u32,
}

impl World {
    /// Starts all sidecars of `bed` and waits until they can reach each other.
    ///
    /// # Errors
    /// When they do not become ready; the error has what they said.
    pub async fn start(kind: &Kind, bed: &Bed, servers: &Servers) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let mut ports = BTreeMap::new();
        for sidecar in &bed.sidecars {
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
        files::write(folder.path(), bed, servers, &format!("127.0.0.1:{outside}"))?;
        let mut members = pluggable::start(folder.path(), bed);
        let begin = Instant::now();
        while !pluggable::are_served(&members) {
            let told = || members.iter().map(Member::said).collect::<String>();
            ensure!(begin.elapsed() < PATIENCE, "components are not served after {PATIENCE:?}: {}", told());
            tokio::time::sleep(PAUSE).await;
        }
        members.extend(match kind {
            Kind::Daprlet => daprlet::start(folder.path(), bed, &ports)?,
            Kind::Real(programs) => daprd::start(programs, folder.path(), bed, &ports)?,
        });
        let database = servers.database.clone();
        let world = Self { ports, members, folder, database, database_process: servers.mysql_process };
        world.wait_until_ready(bed).await?;
        Ok(world)
    }

    /// Sends one request to one of the world's ports.
    pub async fn send(&self, to: To, request: http::request::Builder, payload: Payload) -> Answer {
        match self.port(to) {
            Some(port) => client::send(port, request, payload).await,
            None => Answer { body: format!("{to:?} is not in this world").into_bytes(), ..Answer::default() },
        }
    }

    /// Stops or continues the world's database server.
    pub fn change(&self, database: Database) {
        let signal = match database {
            Database::Freeze => Signal::STOP,
            Database::Thaw => Signal::CONT,
        };
        let process = i32::try_from(self.database_process).ok().and_then(Pid::from_raw);
        // If the server is gone, the answers will tell.
        let _ = process.map(|process| kill_process(process, signal));
    }

    /// Where something listens.
    #[must_use]
    pub fn port(&self, to: To) -> Option<u16> {
        self.ports.get(&to).copied()
    }

    /// All ports, and whose they are.
    #[must_use]
    pub fn ports(&self) -> &BTreeMap<To, u16> {
        &self.ports
    }

    /// The ids of the processes: daprlet, or each `daprd` and each service.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.members.iter().map(Member::id).collect()
    }

    /// The names of its processes: `daprlet`; or `daprd of ID` and, for a service, `ID`.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// `kill -9` of one process.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn kill(&self, name: &str) -> anyhow::Result<()> {
        self.member(name)?.kill();
        Ok(())
    }

    /// Starts a process again as it was started before, on the same ports and in the same folder. Does not wait.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn start_again(&self, name: &str) -> anyhow::Result<()> {
        self.member(name)?.start_again();
        Ok(())
    }

    fn member(&self, name: &str) -> anyhow::Result<&Member> {
        self.members.iter().find(|it| it.name == name).with_context(|| format!("{name:?} is not in this world"))
    }

    /// What the processes have said.
    #[must_use]
    pub fn said(&self) -> String {
        self.members.iter().map(Member::said).collect::<Vec<_>>().join("\n")
    }

    /// Every sidecar has its components, and each finds those that have an application.
    async fn wait_until_ready(&self, bed: &Bed) -> anyhow::Result<()> {
        let first = bed.sidecars.first().map(|it| it.id).unwrap_or_default();
        for sidecar in &bed.sidecars {
            let path = if sidecar.app == App::Down { "/v1.0/healthz/outbound" } else { "/v1.0/healthz" };
            self.until(To::Dapr(sidecar.id), path, |status| status == 204).await?;
        }
        let has_app = |app| matches!(app, App::Echo | App::Service);
        for sidecar in bed.sidecars.iter().filter(|it| has_app(it.app) && bed.sidecars.len() > 1) {
            let path = format!("/v1.0/invoke/{}/method/", sidecar.id);
            self.until(To::Dapr(first), &path, |status| status == 200 || status == 403).await?;
        }
        Ok(())
    }

    /// Starts each `daprd` again that has ended, as Kubernetes would: one that finds a SQLite file locked, because another one
    /// is making its tables there, does not wait.
    fn revive_sidecars(&self) {
        let ended = self.members.iter().filter(|it| daprd::is_sidecar(&it.name) && it.has_ended());
        ended.for_each(Member::start_again);
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
            self.revive_sidecars();
            ensure!(begin.elapsed() < PATIENCE, "not ready after {PATIENCE:?}: {}", told());
            tokio::time::sleep(PAUSE).await;
        }
    }
}
