//! Processes to kill and other faults, and the expected effect of each.

use std::fmt;

use deployments::{Config, DISK_FAILURE, DISK_FULL};

use super::load::EventOutcome;

pub(super) const GRAYSCALE: &str = "image-api-grayscale";
pub(super) const CLASSIFY: &str = "image-api-classify";
pub(super) const EVENTS: &str = "events-service";
/// App ids of all services.
pub(super) const SERVICES: [&str; 3] = [GRAYSCALE, CLASSIFY, EVENTS];

/// Health reports of image services without a state store or an event recorder.
const NO_STORE: &str = "users are not limited";
const NO_RECORDER: &str = "events wait";
/// Health report of the events service without a database.
const NO_DATABASE: &str = r#""name":"database","status":"unavailable""#;

/// A process to kill, or another fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// All processes of a daprlet deployment at once.
    Daprlet,
    /// Sidecar of a service.
    Sidecar(&'static str),
    /// A service.
    Service(&'static str),
    /// Database of events.
    MariaDb,
    /// State store with the pending events.
    Redis,
    /// MariaDB or Redis, which stops answering without closing a connection, as behind a network that loses everything.
    Stalled(Server),
    /// Wall clock under daprlet, set that many hours ahead, or behind.
    Clock(i64),
    /// Disk under daprlet, whose writes fail with this errno.
    Disk(i32),
    /// daprlet, and what its disk was not told to keep.
    Power,
}

/// A server of a deployment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Server {
    MariaDb,
    Redis,
}

/// One kill at a certain time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kill {
    pub(super) target: Target,
    pub(super) when: When,
}

/// Condition under which a process is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum When {
    /// Everything worked before.
    Calm,
    /// The database was down for a while, and none of the pending events is delivered yet.
    Waiting,
    /// Some pending events are delivered, but none is removed from the state store.
    Delivering,
}

/// Returns the kills in a daprlet deployment.
pub(super) fn daprlet_kills(config: Config) -> Vec<Kill> {
    let mut all = vec![Target::Daprlet];
    all.extend(servers(config));
    let more = [Target::Daprlet.at(When::Waiting), Target::Daprlet.at(When::Delivering)];
    all.into_iter().map(|target| target.at(When::Calm)).chain(more).chain(again(config)).collect()
}

/// Returns the faults beside kills in a daprlet deployment whose machine can be disturbed.
pub(super) fn machine_faults(config: Config) -> Vec<Kill> {
    let mut all = vec![Target::Clock(1), Target::Clock(-1), Target::Stalled(Server::MariaDb)];
    match config {
        Config::Production => all.push(Target::Stalled(Server::Redis)),
        Config::Development => all.extend([Target::Disk(DISK_FULL), Target::Disk(DISK_FAILURE), Target::Power]),
    }
    let mut kills: Vec<_> = all.into_iter().map(|target| target.at(When::Calm)).collect();
    if config == Config::Development {
        kills.extend([Target::Power.at(When::Waiting), Target::Power.at(When::Delivering)]);
    }
    kills
}

/// Returns the kills in a real Dapr and WasmEdge deployment.
pub(super) fn real_kills(config: Config) -> Vec<Kill> {
    let mut all: Vec<_> = SERVICES.iter().flat_map(|id| [Target::Sidecar(id), Target::Service(id)]).collect();
    all.extend(servers(config));
    let mut more = vec![Target::Service(GRAYSCALE).at(When::Delivering)];
    if config == Config::Production {
        more.extend([Target::Sidecar(GRAYSCALE), Target::Service(EVENTS)].map(|it| it.at(When::Delivering)));
    }
    all.into_iter().map(|target| target.at(When::Calm)).chain(more).chain(again(config)).collect()
}

/// Repeats the kill of servers at worse moments. Pending events in SQLite are on no server.
fn again(config: Config) -> Vec<Kill> {
    match config {
        Config::Development => Vec::new(),
        Config::Production => vec![Target::Redis.at(When::Waiting), Target::MariaDb.at(When::Delivering)],
    }
}

/// `config/` keeps state in SQLite.
fn servers(config: Config) -> Vec<Target> {
    match config {
        Config::Development => vec![Target::MariaDb],
        Config::Production => vec![Target::MariaDb, Target::Redis],
    }
}

impl Kill {
    /// Returns true if a process is killed.
    pub(super) fn is_kill(self) -> bool {
        !matches!(self.target, Target::Stalled(_) | Target::Clock(_) | Target::Disk(_))
    }
}

impl Target {
    fn at(self, when: When) -> Kill {
        Kill { target: self, when }
    }

    /// Returns true if grayscale, called directly, can do without this process.
    pub(super) fn is_dispensable(self) -> bool {
        !matches!(self, Self::Daprlet | Self::Power | Self::Service(GRAYSCALE))
    }

    /// Returns true if an invocation of grayscale through the sidecar of the events service can do without this
    /// process.
    pub(super) fn is_off_the_way(self) -> bool {
        self.is_dispensable() && !matches!(self, Self::Sidecar(GRAYSCALE | EVENTS))
    }

    /// Returns true if an event can have this outcome while this process is down.
    pub(super) fn leaves(self, outcome: &EventOutcome) -> bool {
        match self {
            // Nothing is left to take the event.
            Self::Daprlet | Self::Power | Self::Service(GRAYSCALE) | Self::Sidecar(GRAYSCALE) => {
                !outcome.is_acknowledged()
            }
            Self::Sidecar(EVENTS) | Self::Service(EVENTS) | Self::MariaDb | Self::Stalled(Server::MariaDb) => {
                *outcome != EventOutcome::Recorded
            }
            Self::Sidecar(_)
            | Self::Service(_)
            | Self::Redis
            | Self::Stalled(Server::Redis)
            | Self::Clock(_)
            | Self::Disk(_) => true,
        }
    }

    /// Returns the outcome that some event must have while this process is down.
    pub(super) fn causes(self) -> Option<EventOutcome> {
        match self {
            Self::Sidecar(GRAYSCALE) => Some(EventOutcome::Dropped),
            Self::Sidecar(EVENTS) | Self::Service(EVENTS) | Self::MariaDb | Self::Stalled(Server::MariaDb) => {
                Some(EventOutcome::Deferred)
            }
            _ => None,
        }
    }

    /// Returns the services that report the loss in `/healthz`, and the text of the report.
    pub(super) fn is_missed(self, config: Config) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Sidecar(EVENTS) if config == Config::Production => {
                vec![(EVENTS, NO_DATABASE), (GRAYSCALE, NO_RECORDER), (CLASSIFY, NO_RECORDER)]
            }
            // With MySQL's own protocol, the events service needs its sidecar only for a secret that it has already
            // read.
            Self::Sidecar(EVENTS) | Self::Service(EVENTS) => vec![(GRAYSCALE, NO_RECORDER), (CLASSIFY, NO_RECORDER)],
            Self::Sidecar(image) => vec![(image, NO_STORE), (image, NO_RECORDER)],
            Self::MariaDb | Self::Stalled(Server::MariaDb) => {
                vec![(EVENTS, NO_DATABASE), (GRAYSCALE, NO_RECORDER), (CLASSIFY, NO_RECORDER)]
            }
            Self::Redis | Self::Stalled(Server::Redis) => vec![(GRAYSCALE, NO_STORE), (CLASSIFY, NO_STORE)],
            // Nothing is left to report it, or nothing depends on it.
            Self::Daprlet | Self::Power | Self::Clock(_) | Self::Disk(_) | Self::Service(_) => Vec::new(),
        }
    }
}

/// Matches the process names of [`Deployment::members`](deployments::Deployment::members).
impl fmt::Display for Target {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daprlet | Self::Power => to.write_str("daprlet"),
            Self::Sidecar(id) => write!(to, "daprd of {id}"),
            Self::Service(id) => to.write_str(id),
            Self::MariaDb | Self::Stalled(Server::MariaDb) => to.write_str("MariaDB"),
            Self::Redis | Self::Stalled(Server::Redis) => to.write_str("Redis"),
            Self::Clock(_) => to.write_str("the clock"),
            Self::Disk(_) => to.write_str("the disk"),
        }
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.when {
            When::Calm => "",
            When::Waiting => " while events wait",
            When::Delivering => " amid a delivery",
        };
        let fault = match self.target {
            Target::Stalled(_) => "stops answering",
            Target::Clock(1..) => "is set ahead",
            Target::Clock(_) => "is set back",
            Target::Disk(DISK_FULL) => "is full",
            Target::Disk(_) => "fails writes",
            Target::Power => "loses power",
            _ => "is killed",
        };
        write!(to, "{} {fault}{when}", self.target)
    }
}
