//! Limits of the harm that an attack may do.

use std::time::Duration;

/// The most that an attack may cost others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The least share of its undisturbed rate that the neighbour keeps, beside guests.
    pub(crate) rate: f64,
    /// The 99th percentile of the neighbour's latency.
    pub(crate) p99: Duration,
    /// The time between SIGINT and the end of the process.
    pub(crate) shutdown: Duration,
    /// Memory of the process over what it had before, a minute after the attack at the latest, in MiB.
    pub(crate) memory: u64,
}

impl Limits {
    /// For a release build on a machine where nothing else runs.
    pub(crate) const QUIET: Self =
        Self { rate: 0.6, p99: Duration::from_millis(25), shutdown: Duration::from_secs(2), memory: 30 };
    /// For any build on a machine that does other things, too.
    pub(crate) const BUSY: Self =
        Self { rate: 0.1, p99: Duration::from_millis(250), shutdown: Duration::from_secs(5), memory: 100 };
}
