//! Comparing fairly on a machine that is not equally fast all the time.

use anyhow::Context as _;

/// How often each of both is measured.
pub(crate) const TURNS: u32 = 5;

/// Measures both by turns, and gives the turn that has the middle ratio. `both` gives what is compared in it, and anything that
/// comes of it beside.
pub(crate) fn by_turns<T>(ratio: impl Fn(&T) -> f64, mut both: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut turns = (0..TURNS).map(|_| both()).collect::<anyhow::Result<Vec<_>>>()?;
    turns.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    turns.into_iter().nth(TURNS as usize / 2).context("no turns")
}
