//! Runs the same cases on two deployments and compares the responses.

use crate::case::Case;
use crate::known::KnownDifference;
use crate::report;
use crate::run_case::{CaseVars, run_case};
use deployments::Deployment;
use deployments::RecordedResponse;

use crate::normalise::Normaliser;

/// Result of one case, ready to be shown.
pub(crate) struct Verdict {
    pub(crate) name: String,
    /// Short responses of daprlet and the real deployment.
    pub(crate) said: [String; 2],
    pub(crate) outcome: Outcome,
    /// Details of the difference, if any.
    pub(crate) difference: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Same,
    /// Different as intended: index of the known difference.
    Known(usize),
    Different,
}

/// Runs all `cases` on both deployments, in sequence.
pub(crate) async fn run(
    deployments: [&Deployment; 2],
    cases: Vec<Case>,
    known: &[KnownDifference],
    mut report: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for (number, case) in cases.into_iter().enumerate() {
        let own = CaseVars::new(number);
        let [ours, real] = deployments;
        let (ours, real) = tokio::join!(run_normalised(ours, &case, &own), run_normalised(real, &case, &own));
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
        report(&verdict);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

async fn run_normalised(deployment: &Deployment, case: &Case, own: &CaseVars) -> anyhow::Result<Vec<RecordedResponse>> {
    let folder = deployment.folder.path().display().to_string();
    let names =
        [(folder.as_str(), "<folder>"), (deployment.database.as_str(), "<database>"), (own.key.as_str(), "<key>")];
    let mut normaliser = Normaliser::new(deployment.ports(), &names)?;
    Ok(run_case(deployment, case, own).await.iter().map(|answer| normaliser.normalise(answer)).collect())
}
