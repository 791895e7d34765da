//! One world goes through it: each process is killed under load and started again, and what is asked meanwhile is noted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use worlds::{Answer, Config, Pair, Payload, Server, To, World};

use super::load::{Fate, Load, Moment, Part, Sent, Way};
use super::table::{self, Row};
use super::victim::{Blow, SERVICES, Victim, When};

/// A process stays gone until that many pictures were sent without it.
const WITHOUT: usize = 12;
/// So many events wait that were sent directly, and as many others: their delivery takes long enough to be met by a blow.
const WAITING: usize = 16;
/// So many of the former show that a delivery is under way, and not only that an attempt came late.
const DELIVERED: usize = 5;
/// A world is whole when the last pictures, that many each way, were recorded at once.
const WHOLE: usize = 5;
/// Nothing takes longer: neither noticing that a process is gone, nor getting over it.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// All that happened in one world.
pub(super) struct Course {
    /// Of each blow, after one without any.
    pub(super) phases: Vec<Phase>,
    pub(super) sent: Vec<Sent>,
    pub(super) table: Vec<Row>,
}

/// What happened around one blow.
#[derive(Debug, Default)]
pub(super) struct Phase {
    pub(super) blow: Option<Blow>,
    /// How long it took until all was well, from the moment when the victim was started again.
    pub(super) recovery: Duration,
    pub(super) complaints: Vec<String>,
}

struct Drill<'a> {
    world: Arc<World>,
    servers: &'a mut Pair,
    config: Config,
    load: Arc<Load>,
    /// What each service says about its health when nothing is missing.
    well: Vec<(&'static str, Answer)>,
}

pub(super) async fn run(world: World, servers: &mut Pair, config: Config, blows: Vec<Blow>) -> anyhow::Result<Course> {
    let world = Arc::new(world);
    let mut well = Vec::new();
    for id in SERVICES {
        well.push((id, health(&world, id).await));
    }
    let (load, mut users) = Load::begin(Arc::clone(&world))?;
    let mut drill = Drill { world, servers, config, load, well };
    let mut phases = vec![drill.before().await];
    for blow in blows {
        // A world that is not whole would blame its first illness on all that follows.
        let is_ill = phases.last().is_none_or(|it| !it.complaints.is_empty());
        let phase = if is_ill {
            let complaints = vec!["was not killed: something was wrong before".to_owned()];
            Phase { blow: Some(blow), complaints, ..Phase::default() }
        } else {
            drill.bear(phases.len(), blow).await?
        };
        phases.push(phase);
    }
    drill.load.end();
    while let Some(user) = users.join_next().await {
        user.context("a user")?;
    }
    let (table, waiting) = table::settled(&drill.world).await?;
    if let Some(phase) = phases.last_mut().filter(|_| waiting > 0) {
        phase.complaints.push(format!("{waiting} events still wait, long after the last one was killed"));
    }
    Ok(Course { phases, sent: drill.load.sent(), table })
}

impl Drill<'_> {
    /// All is well before anybody is killed.
    async fn before(&self) -> Phase {
        let mut phase = Phase::default();
        self.recover(Moment::default(), &mut phase).await;
        phase
    }

    async fn bear(&mut self, number: usize, blow: Blow) -> anyhow::Result<Phase> {
        let mut phase = Phase { blow: Some(blow), ..Phase::default() };
        let at = |part| Moment { phase: number, part };
        self.load.now(at(Part::Going));
        if blow.when != When::Calm && !self.have_events_wait(at(Part::Going)).await? {
            phase.complaints.push(format!("in {PATIENCE:?}, fewer than {WAITING} events had to wait"));
        }
        if blow.when == When::Delivering && !self.see_delivery(at(Part::Going)).await {
            phase.complaints.push(format!("in {PATIENCE:?}, fewer than {DELIVERED} of them were delivered"));
        }
        self.end(blow.victim)?;
        self.load.now(at(Part::Gone));
        if !until(async || self.load.since(at(Part::Gone), Way::Direct).len() >= WITHOUT).await {
            phase.complaints.push(format!("in {PATIENCE:?}, fewer than {WITHOUT} pictures were answered at all"));
        }
        for (id, words) in blow.victim.is_missed(self.config) {
            if !until(async || health(&self.world, id).await.text().contains(words)).await {
                let health = health(&self.world, id).await.in_full();
                phase.complaints.push(format!("{id} does not say in /healthz that {words:?}, but {health}"));
            }
        }
        self.load.now(at(Part::Back));
        self.start_again(blow.victim)?;
        self.recover(at(Part::Back), &mut phase).await;
        Ok(phase)
    }

    /// Takes the database away until events wait. Says whether that came about.
    async fn have_events_wait(&mut self, since: Moment) -> anyhow::Result<bool> {
        self.end(Victim::MariaDb)?;
        let do_wait = until(async || self.deferred(since).len() >= WAITING).await;
        self.start_again(Victim::MariaDb)?;
        Ok(do_wait)
    }

    /// Returns in the middle of a round that delivers what waits. Says whether one was seen.
    async fn see_delivery(&self, since: Moment) -> bool {
        let waiting = self.deferred(since);
        let is_under_way = async || {
            let rows = table::newest(&self.world).await.unwrap_or_default();
            rows.iter().filter(|row| waiting.iter().any(|it| it.size == row.input_size)).count() >= DELIVERED
        };
        until(is_under_way).await
    }

    fn deferred(&self, since: Moment) -> Vec<Sent> {
        let mut sent = self.load.since(since, Way::Direct);
        sent.retain(|it| it.fate == Fate::Deferred);
        sent
    }

    fn end(&mut self, victim: Victim) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| match self.server(victim) {
            Some(server) => {
                server.kill();
                Ok(())
            }
            None => self.world.kill(&victim.to_string()),
        })
    }

    fn start_again(&mut self, victim: Victim) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| match self.server(victim) {
            Some(server) => {
                server.start_again();
                Ok(())
            }
            None => self.world.start_again(&victim.to_string()),
        })
    }

    /// The server that the victim is, unless it is one of the world's own processes.
    fn server(&mut self, victim: Victim) -> Option<&mut Server> {
        match victim {
            Victim::MariaDb => Some(&mut self.servers.mysql),
            Victim::Redis => Some(&mut self.servers.redis),
            Victim::Daprlet | Victim::Sidecar(_) | Victim::Service(_) => None,
        }
    }

    /// Waits until pictures are answered and recorded again both ways, and every service is as well as it was.
    async fn recover(&self, since: Moment, phase: &mut Phase) {
        let begin = Instant::now();
        let ill = async || {
            for way in [Way::Direct, Way::Invoked] {
                let sent = self.load.since(since, way);
                let last: Vec<_> = sent.iter().rev().take(WHOLE).map(|it| &it.fate).collect();
                if last.len() < WHOLE || last.iter().any(|fate| **fate != Fate::Recorded) {
                    return Some(format!("the last pictures were sent {way:?}, and {last:?}"));
                }
            }
            for (id, well) in &self.well {
                let now = health(&self.world, id).await;
                if (now.status, &now.body) != (well.status, &well.body) {
                    return Some(format!("{id} says in /healthz {}, and before {}", now.in_full(), well.in_full()));
                }
            }
            None
        };
        if !until(async || ill().await.is_none()).await {
            let said = self.world.said();
            let ill = ill().await.unwrap_or_else(|| "it took longer".to_owned());
            phase.complaints.push(format!("not whole again after {PATIENCE:?}: {ill}\n{said}"));
        }
        phase.recovery = begin.elapsed();
    }
}

async fn health(world: &World, id: &'static str) -> Answer {
    let request = worlds::request("GET", "/healthz", "localhost");
    world.send(To::App(id), request, Payload::Whole(Bytes::new())).await
}

/// Looks again and again, and says whether it came true in time.
async fn until(mut holds: impl AsyncFnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !holds().await {
        if begin.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    true
}
