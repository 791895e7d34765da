//! The table and the details of differences.

use std::fmt::Write as _;

use crate::case::Case;
use crate::known::KnownDifference;
use deployments::{RecordedResponse, To};

use crate::suite::{Outcome, Verdict};

/// Width of the columns name and response.
const NAME: usize = 60;
const ANSWER: usize = 44;

/// Summarises a case with the normalised responses of both deployments.
pub(crate) fn verdict(case: Case, answers: &[(RecordedResponse, RecordedResponse)], outcome: Outcome) -> Verdict {
    // The most informative step: the first that differs, else the last.
    let telling = answers.iter().find(|(ours, real)| ours != real).or(answers.last());
    let said = telling.map(|(ours, real)| [ours.in_short(ANSWER), real.in_short(ANSWER)]).unwrap_or_default();
    Verdict { said, outcome, difference: difference(&case, answers), name: case.name }
}

/// Formats one line of the table.
pub(crate) fn line(verdict: &Verdict) -> String {
    let [ours, real] = &verdict.said;
    let outcome = match verdict.outcome {
        Outcome::Same => "same".to_owned(),
        Outcome::Known(number) => format!("known difference {}", number + 1),
        Outcome::Different => "DIFFERENT".to_owned(),
    };
    format!("| {:NAME$} | {ours:ANSWER$} | {real:ANSWER$} | {outcome} |", verdict.name)
}

/// Formats the header of the table.
pub(crate) fn head() -> String {
    format!("| {:NAME$} | {:ANSWER$} | {:ANSWER$} | |\n|---|---|---|---|", "case", "daprlet", "daprd")
}

/// Lists the lines that only one of both responses has, for each step that differs.
fn difference(case: &Case, answers: &[(RecordedResponse, RecordedResponse)]) -> String {
    let mut text = String::new();
    for (number, (step, (ours, real))) in case.steps.iter().zip(answers).enumerate() {
        if ours == real {
            continue;
        }
        let to = match step.to {
            To::Dapr(id) | To::Grpc(id) => format!("Dapr port of {id}"),
            To::App(id) => format!("port of {id}"),
        };
        let (ours, real) = (ours.in_full(), real.in_full());
        let only = |of: &str, other: &str| -> Vec<String> {
            of.lines().filter(|line| !other.lines().any(|it| it == *line)).map(str::to_owned).collect()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "--- {}, step {number}: {} {} at the {to}", case.name, step.method, step.target);
        let (mut our_lines, mut real_lines) = (only(&ours, &real), only(&real, &ours));
        if our_lines.is_empty() && real_lines.is_empty() {
            // Order, number or ends of lines.
            (our_lines, real_lines) = (vec![format!("{ours:?}")], vec![format!("{real:?}")]);
        }
        for line in our_lines {
            let _ = writeln!(text, "daprlet: {line}");
        }
        for line in real_lines {
            let _ = writeln!(text, "daprd:   {line}");
        }
    }
    text
}

/// Counts the outcomes, and lists the known differences, including those that no case showed.
pub(crate) fn summary(verdicts: &[Verdict], known: &[KnownDifference]) -> String {
    let count = |outcome: fn(&Outcome) -> bool| verdicts.iter().filter(|it| outcome(&it.outcome)).count();
    let mut text = format!(
        "{} cases: {} the same, {} known differences, {} different\n",
        verdicts.len(),
        count(|it| *it == Outcome::Same),
        count(|it| matches!(it, Outcome::Known(_))),
        count(|it| *it == Outcome::Different),
    );
    for (number, one) in known.iter().enumerate() {
        let is_met = verdicts.iter().any(|it| it.outcome == Outcome::Known(number));
        let met = if is_met { "" } else { " (no case of this run shows it)" };
        let _ = writeln!(text, "{}. {}: {}{met}", number + 1, one.source, one.why);
    }
    text
}
