//! Fair comparisons on a machine whose speed varies.

use anyhow::Context as _;

use crate::processes;

/// Turns that count.
pub(crate) const TURNS: u32 = 5;

/// Most turns measured to get [`TURNS`] undisturbed ones.
const MAX_TURNS: usize = 3 * TURNS as usize;

/// Stolen share of processor time above which a turn counts as disturbed.
const MAX_STOLEN_SHARE: f64 = 0.02;

/// Measures both sides in turns, and returns the turn with the median ratio.
///
/// `both` returns the compared values, and any other results of the turn.
pub(crate) fn by_turns<T>(ratio: impl Fn(&T) -> f64, both: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    middle(turns(both)?, ratio)
}

/// Returns the turn with the median ratio.
pub(crate) fn middle<T>(mut turns: Vec<T>, ratio: impl Fn(&T) -> f64) -> anyhow::Result<T> {
    turns.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let middle = turns.len() / 2;
    turns.into_iter().nth(middle).context("no turns")
}

/// Measures several things one after the other, repeatedly.
///
/// Disturbed turns are repeated, up to a limit; the least disturbed ones count.
pub(crate) fn turns<T>(mut all: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    let mut turns = Vec::new();
    let mut quiet = 0;
    while quiet < TURNS && turns.len() < MAX_TURNS {
        let before = processes::stolen();
        let turn = all()?;
        let disturbed = (processes::stolen() - before).share();
        quiet += u32::from(disturbed <= MAX_STOLEN_SHARE);
        turns.push((disturbed, turn));
    }
    turns.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    turns.truncate(TURNS as usize);
    Ok(turns.into_iter().map(|(_, turn)| turn).collect())
}
