//! Asks two worlds the same cases and compares what they answer.

use crate::ask::{Own, ask};
use crate::case::Case;
use crate::known::Known;
use crate::report;
use worlds::Answer;
use worlds::World;

use crate::normalise::Normaliser;

/// What became of one case, ready to be shown.
pub(crate) struct Verdict {
    pub(crate) name: String,
    /// What daprlet's world and the real one said, in short.
    pub(crate) said: [String; 2],
    pub(crate) outcome: Outcome,
    /// What is wrong, where something is.
    pub(crate) difference: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Same,
    /// Different, and meant to be: the number of the known difference.
    Known(usize),
    Different,
}

/// Asks both worlds all `cases`, one after the other.
pub(crate) async fn run(
    worlds: [&World; 2],
    cases: Vec<Case>,
    known: &[Known],
    mut told: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for (number, case) in cases.into_iter().enumerate() {
        let own = Own::of(number);
        let [ours, real] = worlds;
        let (ours, real) = tokio::join!(normalised(ours, &case, &own), normalised(real, &case, &own));
        let answers: Vec<_> = ours?.into_iter().zip(real?).collect();
        let is_same = answers.iter().all(|(ours, real)| ours == real);
        let listed = known.iter().enumerate().find(|(_, known)| known.is_about(&case.name));
        let outcome = match listed {
            _ if is_same => Outcome::Same,
            Some((number, known)) if answers.iter().all(|(ours, real)| known.excuses(ours, real)) => {
                Outcome::Known(number)
            }
            Some(_) | None => Outcome::Different,
        };
        let verdict = report::verdict(case, &answers, outcome);
        told(&verdict);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

async fn normalised(world: &World, case: &Case, own: &Own) -> anyhow::Result<Vec<Answer>> {
    let folder = world.folder.path().display().to_string();
    let names = [(folder.as_str(), "<folder>"), (world.database.as_str(), "<database>"), (own.key.as_str(), "<key>")];
    let mut normaliser = Normaliser::new(world.ports(), &names)?;
    Ok(ask(world, case, own).await.iter().map(|answer| normaliser.normalise(answer)).collect())
}
