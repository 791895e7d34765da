//! Checks that each acknowledged event is in the table once, and that no image failed without reason.

use std::collections::BTreeMap;

use super::drill::Phase;
use super::kill::{GRAYSCALE, Kill, Target};
use super::load::{EventOutcome, Part, Route, Sent};
use super::table::Row;

/// Examples shown for each kind of error.
const MAX_EXAMPLES: usize = 5;

/// Result of one kill in one deployment.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) kill: Kill,
    /// True if the kill was left out, because something was wrong before.
    pub(super) was_skipped: bool,
    /// Counts of events recorded at once, later, or not; failed requests; and the recovery time.
    pub(super) summary: String,
    /// Events reported to users as recorded or deferred.
    pub(super) acknowledged: usize,
    pub(super) errors: Vec<String>,
}

/// Judges all phases. Errors before the first kill are reported with it.
pub(super) fn all(phases: Vec<Phase>, sent: &[Sent], table: &[Row]) -> Vec<Judgement> {
    let mut events: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for row in table {
        events.entry(row.input_size).or_default().push(row.event_ts);
    }
    let events = |it: &Sent| events.get(&it.size).map(Vec::as_slice).unwrap_or_default();
    let targets: Vec<_> = phases.iter().map(|it| it.kill.map(|kill| kill.target)).collect();
    let mut judgements = Vec::new();
    let mut errors = Vec::new();
    for (number, phase) in phases.into_iter().enumerate() {
        let sent: Vec<_> = sent.iter().filter(|it| it.begin.phase == number).collect();
        let repeated = |it: &Sent| events(it).len() > 1 && may_be_repeated(it, &targets);
        errors.extend(phase.errors);
        errors.extend(describe_failures(&sent, "acknowledged, and not in the table", |it| {
            it.outcome.is_acknowledged() && events(it).is_empty()
        }));
        errors.extend(describe_failures(&sent, "of which one event is in the table twice", |it| has_twin(events(it))));
        errors.extend(describe_failures(&sent, "of which several events are in the table", |it| {
            events(it).len() > 1 && !repeated(it)
        }));
        errors.extend(describe_failures(&sent, "not answered, though what was killed is not needed for that", |it| {
            matches!(it.outcome, EventOutcome::Failed(_)) && !is_excused(it, &targets)
        }));
        errors.extend(describe_failures(&sent, "over the rate limit, though no clock was set", |it| {
            it.outcome == EventOutcome::RateLimited && !may_be_limited(it, &targets)
        }));
        if let Some(kill) = phase.kill {
            if !phase.was_skipped {
                errors.extend(while_gone(&sent, kill.target));
            }
            let repeated = sent.iter().filter(|it| repeated(it)).count();
            let summary = summary(&sent, repeated, phase.recovery.as_secs_f64());
            let acknowledged = sent.iter().filter(|it| it.outcome.is_acknowledged()).count();
            let errors = std::mem::take(&mut errors);
            let was_skipped = phase.was_skipped;
            judgements.push(Judgement { kill, was_skipped, summary, acknowledged, errors });
        }
    }
    judgements
}

/// Returns the kills of both deployments, in order.
pub(super) fn kills(ours: &[Judgement], real: &[Judgement]) -> Vec<Kill> {
    let mut all = Vec::new();
    for judgement in ours.iter().chain(real) {
        if !all.contains(&judgement.kill) {
            all.push(judgement.kill);
        }
    }
    all
}

pub(super) fn find(judgements: &[Judgement], kill: Kill) -> Option<&Judgement> {
    judgements.iter().find(|it| it.kill == kill)
}

/// Checks the responses while the target was certainly down: nothing impossible, and the expected effect.
fn while_gone(sent: &[&Sent], target: Target) -> Vec<String> {
    let is_gone = |it: &&&Sent| it.route == Route::Direct && it.begin.part == Part::Stopped && it.end == it.begin;
    let sent: Vec<_> = sent.iter().filter(is_gone).copied().collect();
    let mut errors = Vec::new();
    errors.extend(describe_failures(&sent, "told what cannot be true without it", |it| !target.leaves(&it.outcome)));
    if let Some(outcome) = target.causes().filter(|outcome| sent.iter().all(|it| it.outcome != *outcome)) {
        errors.push(format!("of {} pictures sent directly while it was gone, no event was {outcome:?}", sent.len()));
    }
    errors
}

/// A request may fail if a process that it needs was down at its start or its end.
fn is_excused(sent: &Sent, targets: &[Option<Target>]) -> bool {
    (sent.begin.phase..=sent.end.phase).filter_map(|phase| targets.get(phase).copied().flatten()).any(|target| {
        match sent.route {
            Route::Direct => !target.is_dispensable(),
            Route::Invoked => !target.is_off_the_way(),
        }
    })
}

/// Returns true if a clock was set before or during the request.
///
/// For the services a user is then at the end of a burst, and has to keep to the rate for a while. Otherwise no user
/// here sends enough to be limited.
fn may_be_limited(sent: &Sent, targets: &[Option<Target>]) -> bool {
    (sent.begin.phase.saturating_sub(1)..=sent.end.phase)
        .any(|phase| matches!(targets.get(phase), Some(Some(Target::Clock(_)))))
}

/// Returns true if Dapr may have sent the request twice.
///
/// If the sidecar of a service dies in the middle of an invocation, the caller's `daprd` sends the request once more
/// (`invokeWithRetry` in `pkg/messaging/direct_messaging.go`): the service then handles two requests, and each records
/// an event.
fn may_be_repeated(sent: &Sent, targets: &[Option<Target>]) -> bool {
    sent.route == Route::Invoked
        && (sent.begin.phase..=sent.end.phase).any(|phase| {
            let was_there = sent.begin.phase < phase || sent.begin.part == Part::Stopping;
            was_there && targets.get(phase) == Some(&Some(Target::Sidecar(GRAYSCALE)))
        })
}

/// Returns true if two events have the same time: for one image, that is one event recorded twice.
fn has_twin(events: &[u64]) -> bool {
    let mut times = events.to_vec();
    times.sort_unstable();
    times.windows(2).any(|pair| pair.first() == pair.last())
}

fn describe_failures(sent: &[&Sent], what: &str, is_wrong: impl Fn(&Sent) -> bool) -> Option<String> {
    let all: Vec<_> = sent.iter().filter(|it| is_wrong(it)).collect();
    if all.is_empty() {
        return None;
    }
    let shown: Vec<_> = all.iter().take(MAX_EXAMPLES).map(|it| describe(it)).collect();
    Some(format!("{} of {} pictures {what}: {}", all.len(), sent.len(), shown.join("; ")))
}

fn describe(sent: &Sent) -> String {
    let when = |part| match part {
        Part::Stopping => "before it was gone",
        Part::Stopped => "while it was gone",
        Part::Restarted => "after it was back",
    };
    let Sent { size, route, begin, end, outcome } = sent;
    let end = if end.phase == begin.phase { when(end.part) } else { "in the next phase" };
    format!("{size} bytes, {route:?}, sent {}, answered {end} ({outcome:?})", when(begin.part))
}

fn summary(sent: &[&Sent], repeated: usize, recovery: f64) -> String {
    let count = |is: fn(&EventOutcome) -> bool| sent.iter().filter(|it| is(&it.outcome)).count();
    let repeated = if repeated > 0 { format!(", {repeated} repeated by Dapr") } else { String::new() };
    let limited = count(|it| *it == EventOutcome::RateLimited);
    let limited = if limited > 0 { format!(", {limited} limited") } else { String::new() };
    format!(
        "{} now, {} later, {} dropped, {} failed{limited}{repeated}; {recovery:.1} s",
        count(|it| *it == EventOutcome::Recorded),
        count(|it| *it == EventOutcome::Deferred),
        count(|it| *it == EventOutcome::Dropped),
        count(|it| matches!(it, EventOutcome::Failed(_))),
    )
}

#[cfg(test)]
mod tests;
