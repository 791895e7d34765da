//! Comparing fairly on a machine that is not equally fast all the time.

use anyhow::Context as _;

use crate::processes;

/// How often each of both is measured.
pub(crate) const TURNS: u32 = 5;

/// Turns from which that many are taken, at most.
const ATTEMPTS: usize = 3 * TURNS as usize;

/// A turn is disturbed where other machines on the same hardware had more than this share of the processors' time.
const DISTURBED: f64 = 0.02;

/// Measures both by turns, and gives the turn that has the middle ratio. `both` gives what is compared in it, and anything that
/// comes of it beside.
pub(crate) fn by_turns<T>(ratio: impl Fn(&T) -> f64, both: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    middle(turns(both)?, ratio)
}

/// The turn that has the middle ratio.
pub(crate) fn middle<T>(mut turns: Vec<T>, ratio: impl Fn(&T) -> f64) -> anyhow::Result<T> {
    turns.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let middle = turns.len() / 2;
    turns.into_iter().nth(middle).context("no turns")
}

/// Measures several things one after the other, again and again. Turns that were disturbed are taken again, for a while; those
/// that were least disturbed count.
pub(crate) fn turns<T>(mut all: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    let mut turns = Vec::new();
    let mut quiet = 0;
    while quiet < TURNS && turns.len() < ATTEMPTS {
        let before = processes::stolen();
        let turn = all()?;
        let disturbed = (processes::stolen() - before).share();
        quiet += u32::from(disturbed <= DISTURBED);
        turns.push((disturbed, turn));
    }
    turns.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    turns.truncate(TURNS as usize);
    Ok(turns.into_iter().map(|(_, turn)| turn).collect())
}
