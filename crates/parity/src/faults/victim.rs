//! Who is killed, and what the others do meanwhile.

use std::fmt;

use worlds::Config;

use super::load::Fate;

pub(super) const GRAYSCALE: &str = "image-api-grayscale";
pub(super) const CLASSIFY: &str = "image-api-classify";
pub(super) const EVENTS: &str = "events-service";
/// All services.
pub(super) const SERVICES: [&str; 3] = [GRAYSCALE, CLASSIFY, EVENTS];

/// What image services say about their state store, and about the service that records events.
const NO_STORE: &str = "users are not limited";
const NO_RECORDER: &str = "events wait";
/// What the events service says.
const NO_DATABASE: &str = r#""name":"database","status":"unavailable""#;

/// One process that is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Victim {
    /// All of a world at once.
    Daprlet,
    /// The sidecar of that service.
    Sidecar(&'static str),
    /// That service.
    Service(&'static str),
    /// The database of events.
    MariaDb,
    /// The state store, with what waits.
    Redis,
}

/// One process is killed, at that time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Blow {
    pub(super) victim: Victim,
    pub(super) when: When,
}

/// What goes on when a process is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum When {
    /// Nothing was wrong before.
    Calm,
    /// The database was gone for a while, and none of the events that wait was delivered yet.
    Waiting,
    /// Some of them were delivered, and none is forgotten by the state store.
    Delivering,
}

/// The blows that daprlet has to bear.
pub(super) fn to_daprlet(config: Config) -> Vec<Blow> {
    let mut all = vec![Victim::Daprlet];
    all.extend(servers(config));
    let more = [Victim::Daprlet.at(When::Waiting), Victim::Daprlet.at(When::Delivering)];
    all.into_iter().map(|victim| victim.at(When::Calm)).chain(more).chain(again(config)).collect()
}

/// The blows that the real Dapr and WasmEdge have to bear.
pub(super) fn to_the_real_world(config: Config) -> Vec<Blow> {
    let mut all: Vec<_> = SERVICES.iter().flat_map(|id| [Victim::Sidecar(id), Victim::Service(id)]).collect();
    all.extend(servers(config));
    let mut more = vec![Victim::Service(GRAYSCALE).at(When::Delivering)];
    if config == Config::Production {
        more.extend([Victim::Sidecar(GRAYSCALE), Victim::Service(EVENTS)].map(|it| it.at(When::Delivering)));
    }
    all.into_iter().map(|victim| victim.at(When::Calm)).chain(more).chain(again(config)).collect()
}

/// Servers that go once more when it hurts more. What waits in SQLite is no server's.
fn again(config: Config) -> Vec<Blow> {
    match config {
        Config::Development => Vec::new(),
        Config::Production => vec![Victim::Redis.at(When::Waiting), Victim::MariaDb.at(When::Delivering)],
    }
}

/// `config/` keeps state in SQLite.
fn servers(config: Config) -> Vec<Victim> {
    match config {
        Config::Development => vec![Victim::MariaDb],
        Config::Production => vec![Victim::MariaDb, Victim::Redis],
    }
}

impl Victim {
    fn at(self, when: When) -> Blow {
        Blow { victim: self, when }
    }

    /// Whether grayscale, asked at its own port, answers every picture without it.
    pub(super) fn is_dispensable(self) -> bool {
        !matches!(self, Self::Daprlet | Self::Service(GRAYSCALE))
    }

    /// Whether what is invoked gets there without it: from the sidecar of the events service to grayscale.
    pub(super) fn is_off_the_way(self) -> bool {
        self.is_dispensable() && !matches!(self, Self::Sidecar(GRAYSCALE | EVENTS))
    }

    /// Whether this can become of an event whose picture came after the victim had gone.
    pub(super) fn leaves(self, fate: &Fate) -> bool {
        match self {
            // There is nobody who would take an event.
            Self::Daprlet | Self::Service(GRAYSCALE) | Self::Sidecar(GRAYSCALE) => !fate.is_acknowledged(),
            Self::Sidecar(EVENTS) | Self::Service(EVENTS) | Self::MariaDb => *fate != Fate::Recorded,
            Self::Sidecar(_) | Self::Service(_) | Self::Redis => true,
        }
    }

    /// What has to become of some event while it is gone.
    pub(super) fn causes(self) -> Option<Fate> {
        match self {
            Self::Sidecar(GRAYSCALE) => Some(Fate::Dropped),
            Self::Sidecar(EVENTS) | Self::Service(EVENTS) | Self::MariaDb => Some(Fate::Deferred),
            _ => None,
        }
    }

    /// Which services say in `/healthz` that they miss it, and how.
    pub(super) fn is_missed(self, config: Config) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Sidecar(EVENTS) if config == Config::Production => {
                vec![(EVENTS, NO_DATABASE), (GRAYSCALE, NO_RECORDER), (CLASSIFY, NO_RECORDER)]
            }
            // With MySQL's own protocol, the events service needs its sidecar for nothing but the secret that it has read.
            Self::Sidecar(EVENTS) | Self::Service(EVENTS) => vec![(GRAYSCALE, NO_RECORDER), (CLASSIFY, NO_RECORDER)],
            Self::Sidecar(image) => vec![(image, NO_STORE), (image, NO_RECORDER)],
            Self::MariaDb => vec![(EVENTS, NO_DATABASE), (GRAYSCALE, NO_RECORDER), (CLASSIFY, NO_RECORDER)],
            Self::Redis => vec![(GRAYSCALE, NO_STORE), (CLASSIFY, NO_STORE)],
            // Nobody is left to say anything, or nobody asks it for anything.
            Self::Daprlet | Self::Service(_) => Vec::new(),
        }
    }
}

/// The names of processes are those of [`World::members`](worlds::World::members).
impl fmt::Display for Victim {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daprlet => to.write_str("daprlet"),
            Self::Sidecar(id) => write!(to, "daprd of {id}"),
            Self::Service(id) => to.write_str(id),
            Self::MariaDb => to.write_str("MariaDB"),
            Self::Redis => to.write_str("Redis"),
        }
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.when {
            When::Calm => "",
            When::Waiting => " while events wait",
            When::Delivering => " amid a delivery",
        };
        write!(to, "{} is killed{when}", self.victim)
    }
}
