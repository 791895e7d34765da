//! Resource usage of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// Clock ticks per second: a constant of Linux's interface, whatever the kernel's own clock is.
const TICKS_PER_SECOND: u64 = 100;

/// Memory of a group of processes, in megabytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Resident memory, with shared pages counted for each process.
    pub(crate) resident: f64,
    /// Proportional memory: a page shared by several processes counts once.
    pub(crate) proportional: f64,
    /// Memory that would be freed if they ended, including code that no second process of the program shares.
    pub(crate) private: f64,
    /// Memory without a file behind it, which the system cannot drop and read again.
    pub(crate) anonymous: f64,
    pub(crate) processes: usize,
}

pub(crate) fn usage(ids: &[u32]) -> anyhow::Result<Usage> {
    let mut usage = Usage { processes: ids.len(), ..Usage::default() };
    for id in ids {
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"));
        let rollup = rollup.context("only Linux tells a process's memory")?;
        let megabytes = |name: &str| -> f64 {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|rest| rest.split_whitespace().next()).and_then(|it| it.parse::<f64>().ok());
            kilobytes.unwrap_or_default() / 1024.0
        };
        usage.resident += megabytes("Rss:");
        usage.proportional += megabytes("Pss:");
        usage.private += megabytes("Private_Clean:") + megabytes("Private_Dirty:");
        usage.anonymous += megabytes("Anonymous:");
    }
    Ok(usage)
}

/// Returns the processor time used by the processes so far.
pub(crate) fn processor_time(ids: &[u32]) -> anyhow::Result<Duration> {
    let mut ticks = 0;
    for id in ids {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).context("only Linux tells a process's time")?;
        // The name in parentheses may hold anything; after it, user and system time are the 12th and 13th field.
        let fields = stat.rsplit_once(')').context("no process name")?.1;
        let spent = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        ticks += spent.sum::<u64>();
    }
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Time of all processors in ticks, in total and stolen by a hypervisor for other machines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stolen {
    all: u64,
    stolen: u64,
}

impl Stolen {
    /// Returns the stolen share, from 0 to 1.
    pub(crate) fn share(self) -> f64 {
        self.stolen as f64 / self.all.max(1) as f64
    }
}

impl std::ops::Sub for Stolen {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { all: self.all.saturating_sub(before.all), stolen: self.stolen.saturating_sub(before.stolen) }
    }
}

/// Returns the ticks since the system started; zero where it does not report them.
pub(crate) fn stolen() -> Stolen {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    // Fields after the name: user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user time.
    let ticks: Vec<u64> = first.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    Stolen { all: ticks.iter().sum(), stolen: ticks.get(7).copied().unwrap_or_default() }
}
