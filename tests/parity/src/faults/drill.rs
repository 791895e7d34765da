//! Kills and restarts each process of one deployment under load, and records the requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use deployments::{Config, Deployment, Faults, Payload, RecordedResponse, Server, ServerPair, To};

use super::kill::{self, Kill, SERVICES, Target, When};
use super::load::{EventOutcome, Load, Moment, Part, Route, Sent};
use super::table::{self, Row};

/// Images sent before a killed process is restarted.
const IMAGES_WHILE_DOWN: usize = 12;
/// Fewest deferred events of images sent directly, with as many invoked ones: enough for a kill amid their delivery.
const MIN_PENDING_EVENTS: usize = 16;
/// Fewest delivered events that show a delivery in progress, not only a late first attempt.
const MIN_DELIVERED_EVENTS: usize = 5;
/// Last images on each route that must be recorded at once for a deployment to count as recovered.
const RECOVERED_IMAGES: usize = 5;
/// Timeout for noticing that a process is gone, and for recovery.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(45);
/// Unit of a clock that is set.
const SECONDS_IN_AN_HOUR: i64 = 3600;
/// Beginning of a health report while nothing is missing.
const HEALTHY: &str = r#"{"status":"ok""#;
/// Delay between two checks.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Everything that happened in one deployment.
pub(super) struct DrillResult {
    /// The phase before the first kill, and one for each kill.
    pub(super) phases: Vec<Phase>,
    pub(super) sent: Vec<Sent>,
    pub(super) table: Vec<Row>,
}

/// Observations around one kill.
#[derive(Debug, Default)]
pub(super) struct Phase {
    pub(super) kill: Option<Kill>,
    /// True if the kill was left out, because something was wrong before.
    pub(super) was_skipped: bool,
    /// Time from the restart of the target until everything worked.
    pub(super) recovery: Duration,
    pub(super) errors: Vec<String>,
}

struct Drill<'a> {
    deployment: Arc<Deployment>,
    servers: &'a mut ServerPair,
    config: Config,
    load: Arc<Load>,
    /// Health response of each service while nothing is missing.
    healthy: Vec<(&'static str, RecordedResponse)>,
}

pub(super) async fn run(
    deployment: Deployment,
    servers: &mut ServerPair,
    config: Config,
    kills: Vec<Kill>,
) -> anyhow::Result<DrillResult> {
    let deployment = Arc::new(deployment);
    let mut healthy = Vec::new();
    for id in SERVICES {
        healthy.push((id, first_health(&deployment, id).await));
    }
    let (load, mut users) = Load::begin(Arc::clone(&deployment))?;
    let mut drill = Drill { deployment, servers, config, load, healthy };
    let mut phases = vec![drill.wait_until_healthy().await];
    for kill in kills {
        // After a failed recovery, later kills would be blamed for the earlier error.
        let is_ill = phases.last().is_none_or(|it| !it.errors.is_empty());
        let phase = if is_ill {
            let errors = vec!["was not killed: something was wrong before".to_owned()];
            Phase { kill: Some(kill), was_skipped: true, errors, ..Phase::default() }
        } else {
            drill.kill_and_recover(phases.len(), kill).await?
        };
        phases.push(phase);
    }
    drill.load.end();
    while let Some(user) = users.join_next().await {
        user.context("a user")?;
    }
    let (table, waiting) = table::wait_for_delivery_of_all(&drill.deployment).await?;
    if let Some(phase) = phases.last_mut().filter(|_| waiting > 0) {
        phase.errors.push(format!("{waiting} events still wait, long after the last one was killed"));
    }
    Ok(DrillResult { phases, sent: drill.load.sent(), table })
}

impl Drill<'_> {
    /// Waits until everything works before the first kill.
    async fn wait_until_healthy(&self) -> Phase {
        let mut phase = Phase::default();
        self.recover(Moment::default(), &mut phase).await;
        phase
    }

    async fn kill_and_recover(&mut self, number: usize, kill: Kill) -> anyhow::Result<Phase> {
        let mut phase = Phase { kill: Some(kill), ..Phase::default() };
        let at = |part| Moment { phase: number, part };
        self.load.now(at(Part::Stopping));
        if kill.when != When::Calm && !self.make_events_pend(at(Part::Stopping)).await? {
            phase.errors.push(format!("in {RECOVERY_TIMEOUT:?}, fewer than {MIN_PENDING_EVENTS} events had to wait"));
        }
        if kill.when == When::Delivering && !self.wait_for_delivery(at(Part::Stopping)).await {
            phase
                .errors
                .push(format!("in {RECOVERY_TIMEOUT:?}, fewer than {MIN_DELIVERED_EVENTS} of them were delivered"));
        }
        self.kill(kill.target)?;
        self.load.now(at(Part::Stopped));
        if !until(async || self.load.since(at(Part::Stopped), Route::Direct).len() >= IMAGES_WHILE_DOWN).await {
            phase
                .errors
                .push(format!("in {RECOVERY_TIMEOUT:?}, fewer than {IMAGES_WHILE_DOWN} pictures were answered at all"));
        }
        for (id, words) in kill.target.is_missed(self.config) {
            if !until(async || health(&self.deployment, id).await.text().contains(words)).await {
                let health = health(&self.deployment, id).await.in_full();
                phase.errors.push(format!("{id} does not say in /healthz that {words:?}, but {health}"));
            }
        }
        self.load.now(at(Part::Restarted));
        self.restart(kill.target)?;
        self.recover(at(Part::Restarted), &mut phase).await;
        Ok(phase)
    }

    /// Stops the database until events are pending. Returns true if that happened in time.
    async fn make_events_pend(&mut self, since: Moment) -> anyhow::Result<bool> {
        self.kill(Target::MariaDb)?;
        let do_wait = until(async || self.deferred_images(since).len() >= MIN_PENDING_EVENTS).await;
        self.restart(Target::MariaDb)?;
        Ok(do_wait)
    }

    /// Waits for the middle of a round of deliveries. Returns true if one was seen in time.
    async fn wait_for_delivery(&self, since: Moment) -> bool {
        let waiting = self.deferred_images(since);
        let is_under_way = async || {
            let rows = table::newest(&self.deployment).await.unwrap_or_default();
            rows.iter().filter(|row| waiting.iter().any(|it| it.size == row.input_size)).count() >= MIN_DELIVERED_EVENTS
        };
        until(is_under_way).await
    }

    fn deferred_images(&self, since: Moment) -> Vec<Sent> {
        let mut sent = self.load.since(since, Route::Direct);
        sent.retain(|it| it.outcome == EventOutcome::Deferred);
        sent
    }

    fn kill(&mut self, target: Target) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| match (target, self.server(target)) {
            (Target::Stalled(_), Some(server)) => {
                server.freeze();
                Ok(())
            }
            (_, Some(server)) => {
                server.kill();
                Ok(())
            }
            (Target::Clock(hours), _) => Ok(self.faults()?.set_clock(hours * SECONDS_IN_AN_HOUR)?),
            (Target::Disk(errno), _) => Ok(self.faults()?.fail_writes(errno)?),
            (Target::Power, _) => {
                self.deployment.kill(&target.to_string())?;
                self.faults()?.lose_unsynced()
            }
            _ => self.deployment.kill(&target.to_string()),
        })
    }

    fn restart(&mut self, target: Target) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| match (target, self.server(target)) {
            (Target::Stalled(_), Some(server)) => {
                server.thaw();
                Ok(())
            }
            (_, Some(server)) => {
                server.restart();
                Ok(())
            }
            (Target::Clock(_), _) => Ok(self.faults()?.set_clock(0)?),
            (Target::Disk(_), _) => Ok(self.faults()?.fail_writes(0)?),
            _ => self.deployment.restart(&target.to_string()),
        })
    }

    fn faults(&self) -> anyhow::Result<&Faults> {
        self.deployment.faults().context("the machine under this deployment cannot be disturbed")
    }

    /// Returns the server of a target, unless it is one of the deployment's own processes.
    fn server(&mut self, target: Target) -> Option<&mut Server> {
        match target {
            Target::MariaDb | Target::Stalled(kill::Server::MariaDb) => Some(&mut self.servers.mysql),
            Target::Redis | Target::Stalled(kill::Server::Redis) => Some(&mut self.servers.redis),
            Target::Daprlet
            | Target::Sidecar(_)
            | Target::Service(_)
            | Target::Clock(_)
            | Target::Disk(_)
            | Target::Power => None,
        }
    }

    /// Waits until images are recorded on both routes, and every service is as healthy as before.
    async fn recover(&self, since: Moment, phase: &mut Phase) {
        let begin = Instant::now();
        let ill = async || {
            for route in [Route::Direct, Route::Invoked] {
                let sent = self.load.since(since, route);
                let last: Vec<_> = sent.iter().rev().take(RECOVERED_IMAGES).map(|it| &it.outcome).collect();
                if last.len() < RECOVERED_IMAGES || last.iter().any(|outcome| **outcome != EventOutcome::Recorded) {
                    return Some(format!("the last pictures were sent {route:?}, and {last:?}"));
                }
            }
            for (id, healthy) in &self.healthy {
                let now = health(&self.deployment, id).await;
                if (now.status, &now.body) != (healthy.status, &healthy.body) {
                    return Some(format!("{id} says in /healthz {}, and before {}", now.in_full(), healthy.in_full()));
                }
            }
            None
        };
        if !until(async || ill().await.is_none()).await {
            let said = self.deployment.output();
            let ill = ill().await.unwrap_or_else(|| "it took longer".to_owned());
            phase.errors.push(format!("not whole again after {RECOVERY_TIMEOUT:?}: {ill}\n{said}"));
        }
        phase.recovery = begin.elapsed();
    }
}

async fn health(deployment: &Deployment, id: &'static str) -> RecordedResponse {
    let request = deployments::request("GET", "/healthz", "localhost");
    deployment.send(To::App(id), request, Payload::Whole(Bytes::new())).await
}

/// Returns the first health report without an error. Right after the start a service may still miss another one.
async fn first_health(deployment: &Deployment, id: &'static str) -> RecordedResponse {
    let begin = Instant::now();
    loop {
        let now = health(deployment, id).await;
        if now.text().starts_with(HEALTHY) || begin.elapsed() > RECOVERY_TIMEOUT {
            return now;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Polls a condition until it holds. Returns false on timeout.
async fn until(mut holds: impl AsyncFnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !holds().await {
        if begin.elapsed() > RECOVERY_TIMEOUT {
            return false;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    true
}
