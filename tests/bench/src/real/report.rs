//! The report, in Markdown.

use std::fmt::Write as _;

use super::{About, Figure, loads};
use crate::load::Outcome;
use crate::processes::Usage;
use crate::turns::TURNS;

const COMMAND: &str = "cargo xtask bench --real";

pub(crate) fn write(
    about: &[String],
    measured: &[(Figure, Figure)],
    (ours, real): (&About, &About),
    two_writes: &[(Outcome, Outcome)],
) -> String {
    let mut text = String::from("# Benchmarks\n\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "daprlet beside the real Dapr and the real WasmEdge, measured in one run by `{COMMAND}`: the same services, the \
         same component YAML (`config/production/`), a Redis and a MariaDB of its own for each, all on one machine. Load \
         comes from a process of its own on the same machine, so rates are no more than a comparison. Both worlds are up \
         and take turns, {TURNS} each, and more where other machines had the processors; the turn with the middle ratio of p50 \
         is shown. A ratio above 1 is in daprlet's \
         favour; where it is below, the real thing is better.\n"
    );
    for line in about {
        let _ = writeln!(text, "- {line}");
    }
    text.push_str("\n## Requests\n\nLatencies in milliseconds, processor time (CPU) in microseconds a request, without servers and load.\n\n");
    text.push_str("| | connections | | requests/s | p50 | p90 | p99 | CPU |\n|---|---|---|---|---|---|---|---|\n");
    for (load, (ours, real)) in loads().iter().zip(measured) {
        let _ = writeln!(text, "| {} | {} | daprlet | {} |", load.what, load.connections, line(ours));
        let _ = writeln!(text, "| | | Dapr and WasmEdge | {} |", line(real));
        let _ = writeln!(text, "| | | **ratio** | {} |", ratios(ours, real));
    }
    for (connections, (ours, theirs)) in [1, 16].iter().zip(two_writes) {
        let what = "`GET /` of a server on the published crates as they are (two writes a response)";
        let figure = |outcome: &Outcome| line(&Figure { outcome: *outcome, cpu: f64::NAN });
        let _ = writeln!(text, "| {what} | {connections} | daprlet | {} |", figure(ours));
        let _ = writeln!(text, "| | | WasmEdge | {} |", figure(theirs));
        let both = [ours, theirs].map(|outcome| Figure { outcome: *outcome, cpu: f64::NAN });
        let [ours, theirs] = &both;
        let _ = writeln!(text, "| | | **ratio** | {} |", ratios(ours, theirs));
    }
    text.push_str("\n## Memory and start\n\n| | daprlet | Dapr and WasmEdge | ratio |\n|---|---|---|---|\n");
    let Usage { resident, proportional, private, anonymous, processes } = ours.usage;
    let theirs = real.usage;
    let _ = writeln!(text, "| processes for three services, without servers | {processes} | {} | |", theirs.processes);
    let kinds = [
        ("resident memory, what is shared counted for each", resident, theirs.resident),
        ("resident memory, what is shared counted once", proportional, theirs.proportional),
        ("private memory (of one process, its code too)", private, theirs.private),
        ("anonymous memory (without a file behind it)", anonymous, theirs.anonymous),
    ];
    for (what, ours, theirs) in kinds {
        let _ = writeln!(text, "| {what}, idle | {ours:.0} MB | {theirs:.0} MB | {:.1} |", theirs / ours);
    }
    let _ = writeln!(
        text,
        "| from nothing running to the first picture (servers are up) | {:.2} s | {:.2} s | {:.1} |",
        ours.start,
        real.start,
        real.start / ours.start
    );
    text
}

fn line(figure: &Figure) -> String {
    let Outcome { rate, p50, p90, p99, .. } = figure.outcome;
    let millis = |micros: f64| format!("{:.2}", micros / 1000.0);
    format!("{rate:.0} | {} | {} | {} | {}", millis(p50), millis(p90), millis(p99), or_nothing(figure.cpu, 0))
}

/// Formats how many times better daprlet is.
fn ratios(ours: &Figure, real: &Figure) -> String {
    let (a, b) = (ours.outcome, real.outcome);
    let all = [a.rate / b.rate, b.p50 / a.p50, b.p90 / a.p90, b.p99 / a.p99, real.cpu / ours.cpu];
    all.map(|ratio| or_nothing(ratio, 2)).join(" | ")
}

fn or_nothing(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$}") } else { String::new() }
}
