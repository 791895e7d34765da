//! The outcome of an attack, and its row of the table.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::attacks::{Attack, Effects};
use crate::limits::Limits;
use crate::neighbour::Measured;
use crate::target::{Setup, Target};

/// The time within which a process gives memory back.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(60);
/// The time between two looks at the memory.
const MEMORY_INTERVAL: Duration = Duration::from_millis(500);

/// The head of the table.
pub(crate) const HEADER: &str = "| attack | neighbour's rate | p99 | peak | after | SIGINT | remark |\n\
                                 |---|---:|---:|---:|---:|---:|---|";

/// Effects of one attack on others.
#[derive(Debug)]
pub(crate) struct Outcome {
    neighbour: Measured,
    /// Memory of the process before the attack, at its peak and after it, in MiB.
    memory: [u64; 3],
    shutdown: Duration,
    /// A remark, or the harm that was done.
    verdict: Result<String>,
}

/// The row of the process that nobody attacks.
pub(crate) fn alone(neighbour: &Measured, memory: u64) -> String {
    let (rate, p99) = (neighbour.rate, neighbour.p99);
    format!("| (none) | {rate:.0}/s | {p99:.1?} | | {memory} MiB | | |")
}

impl Outcome {
    /// Starts a process, attacks it, and looks at what came of it.
    pub(crate) fn of_attack(attack: &Attack, duration: Duration) -> Self {
        let mut setup = Setup::default();
        (attack.prepare)(&mut setup);
        let target = Target::start(setup);
        let before = target.memory();
        let (verdict, neighbour) = std::thread::scope(|scope| {
            let acting = scope.spawn(|| (attack.act)(&target, duration));
            let neighbour = target.neighbour.measure(duration);
            (acting.join().unwrap_or_else(|panic| Err(anyhow!("{}", message(&*panic)))), neighbour)
        });
        let verdict = verdict.and_then(|remark| target.is_well().map(|()| remark));
        let (peak, ceiling) = (target.peak_memory(), before + Limits::QUIET.memory);
        let begin = Instant::now();
        while !attack.effects.keeps_memory && target.memory() > ceiling && begin.elapsed() < GIVE_BACK_TIMEOUT {
            std::thread::sleep(MEMORY_INTERVAL);
        }
        let memory = [before, peak, target.memory()];
        Self { neighbour, memory, shutdown: target.interrupt(), verdict }
    }

    /// The limits that it broke, each with what is allowed.
    pub(crate) fn broken_limits(&self, limits: &Limits, alone: &Measured, effects: Effects) -> Vec<String> {
        let mut broken = Vec::new();
        if let Err(error) = &self.verdict {
            broken.push(format!("{error:#}"));
        }
        let share = self.neighbour.rate / alone.rate;
        if !effects.loads_clients && share < limits.rate {
            let (share, least) = (100.0 * share, 100.0 * limits.rate);
            broken.push(format!("the neighbour kept {share:.0} % of its rate; at least {least:.0} %"));
        }
        if !effects.loads_clients && self.neighbour.p99 > limits.p99 {
            broken.push(format!("the neighbour's p99 is {:.1?}; at most {:?}", self.neighbour.p99, limits.p99));
        }
        let [before, _, after] = self.memory;
        if !effects.keeps_memory && after > before + limits.memory {
            broken.push(format!("{after} MiB after it, {before} before; at most {} more", limits.memory));
        }
        if self.shutdown > limits.shutdown {
            broken.push(format!("SIGINT took {:.1?}; at most {:?}", self.shutdown, limits.shutdown));
        }
        broken
    }

    /// Its row in the table.
    pub(crate) fn row(&self, name: &str, alone: &Measured) -> String {
        let share = 100.0 * self.neighbour.rate / alone.rate;
        let ([before, peak, after], p99) = (self.memory, self.neighbour.p99);
        let remark = self.verdict.as_ref().map_or("harm", String::as_str);
        let (peak, after) = (peak.saturating_sub(before), i128::from(after) - i128::from(before));
        format!(
            "| {name} | {share:.0} % | {p99:.1?} | +{peak} MiB | {after:+} MiB | {:.1?} | {remark} |",
            self.shutdown
        )
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_owned()
}
