//! Whether what was acknowledged is in the table once, and no picture failed that need not.

use std::collections::BTreeMap;

use super::drill::Phase;
use super::load::{Fate, Part, Sent, Way};
use super::table::Row;
use super::victim::{Blow, GRAYSCALE, Victim};

/// So many examples of what is wrong are shown.
const SHOWN: usize = 5;

/// What is to be said about one blow in one world.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) blow: Blow,
    /// The events of the phase: recorded at once, later, or not; failed requests; and how long it took to recover.
    pub(super) summary: String,
    /// Events whose senders were told that they are recorded or will be.
    pub(super) acknowledged: usize,
    pub(super) complaints: Vec<String>,
}

/// Judges all phases. What is wrong before the first blow is told with it.
pub(super) fn all(phases: Vec<Phase>, sent: &[Sent], table: &[Row]) -> Vec<Judgement> {
    let mut events: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for row in table {
        events.entry(row.input_size).or_default().push(row.event_ts);
    }
    let events = |it: &Sent| events.get(&it.size).map(Vec::as_slice).unwrap_or_default();
    let victims: Vec<_> = phases.iter().map(|it| it.blow.map(|blow| blow.victim)).collect();
    let mut judgements = Vec::new();
    let mut complaints = Vec::new();
    for (number, phase) in phases.into_iter().enumerate() {
        let sent: Vec<_> = sent.iter().filter(|it| it.begin.phase == number).collect();
        let repeated = |it: &Sent| events(it).len() > 1 && may_be_repeated(it, &victims);
        complaints.extend(phase.complaints);
        complaints.extend(wrong(&sent, "acknowledged, and not in the table", |it| {
            it.fate.is_acknowledged() && events(it).is_empty()
        }));
        complaints.extend(wrong(&sent, "of which one event is in the table twice", |it| has_twin(events(it))));
        complaints.extend(wrong(&sent, "of which several events are in the table", |it| {
            events(it).len() > 1 && !repeated(it)
        }));
        complaints.extend(wrong(&sent, "not answered, though what was killed is not needed for that", |it| {
            matches!(it.fate, Fate::Failed(_)) && !is_excused(it, &victims)
        }));
        if let Some(blow) = phase.blow {
            complaints.extend(while_gone(&sent, blow.victim));
            let repeated = sent.iter().filter(|it| repeated(it)).count();
            let summary = summary(&sent, repeated, phase.recovery.as_secs_f64());
            let acknowledged = sent.iter().filter(|it| it.fate.is_acknowledged()).count();
            judgements.push(Judgement { blow, summary, acknowledged, complaints: std::mem::take(&mut complaints) });
        }
    }
    judgements
}

/// All blows to both worlds, in their order.
pub(super) fn blows(ours: &[Judgement], real: &[Judgement]) -> Vec<Blow> {
    let mut all = Vec::new();
    for judgement in ours.iter().chain(real) {
        if !all.contains(&judgement.blow) {
            all.push(judgement.blow);
        }
    }
    all
}

pub(super) fn of(judgements: &[Judgement], blow: Blow) -> Option<&Judgement> {
    judgements.iter().find(|it| it.blow == blow)
}

/// What users were told while the victim was certainly gone: nothing that cannot be true, and what has to be.
fn while_gone(sent: &[&Sent], victim: Victim) -> Vec<String> {
    let is_gone = |it: &&&Sent| it.way == Way::Direct && it.begin.part == Part::Gone && it.end == it.begin;
    let sent: Vec<_> = sent.iter().filter(is_gone).copied().collect();
    let mut complaints = Vec::new();
    complaints.extend(wrong(&sent, "told what cannot be true without it", |it| !victim.leaves(&it.fate)));
    if let Some(fate) = victim.causes().filter(|fate| sent.iter().all(|it| it.fate != *fate)) {
        complaints.push(format!("of {} pictures sent directly while it was gone, no event was {fate:?}", sent.len()));
    }
    complaints
}

/// A request may fail if what it needs was gone at its beginning or at its end.
fn is_excused(sent: &Sent, victims: &[Option<Victim>]) -> bool {
    (sent.begin.phase..=sent.end.phase).filter_map(|phase| victims.get(phase).copied().flatten()).any(|victim| {
        match sent.way {
            Way::Direct => !victim.is_dispensable(),
            Way::Invoked => !victim.is_off_the_way(),
        }
    })
}

/// Where the sidecar of a service goes in the middle of an invocation, the caller's `daprd` sends the request once more
/// (`invokeWithRetry` in `pkg/messaging/direct_messaging.go`): the service has then answered two requests, and each of
/// them is an event of its own.
fn may_be_repeated(sent: &Sent, victims: &[Option<Victim>]) -> bool {
    sent.way == Way::Invoked
        && (sent.begin.phase..=sent.end.phase).any(|phase| {
            let was_there = sent.begin.phase < phase || sent.begin.part == Part::Going;
            was_there && victims.get(phase) == Some(&Some(Victim::Sidecar(GRAYSCALE)))
        })
}

/// Whether two events were made at one moment: of one picture, that is one event.
fn has_twin(events: &[u64]) -> bool {
    let mut times = events.to_vec();
    times.sort_unstable();
    times.windows(2).any(|pair| pair.first() == pair.last())
}

fn wrong(sent: &[&Sent], what: &str, is_wrong: impl Fn(&Sent) -> bool) -> Option<String> {
    let all: Vec<_> = sent.iter().filter(|it| is_wrong(it)).collect();
    if all.is_empty() {
        return None;
    }
    let shown: Vec<_> = all.iter().take(SHOWN).map(|it| told(it)).collect();
    Some(format!("{} of {} pictures {what}: {}", all.len(), sent.len(), shown.join("; ")))
}

fn told(sent: &Sent) -> String {
    let when = |part| match part {
        Part::Going => "before it was gone",
        Part::Gone => "while it was gone",
        Part::Back => "after it was back",
    };
    let Sent { size, way, begin, end, fate } = sent;
    let end = if end.phase == begin.phase { when(end.part) } else { "in the next phase" };
    format!("{size} bytes, {way:?}, sent {}, answered {end} ({fate:?})", when(begin.part))
}

fn summary(sent: &[&Sent], repeated: usize, recovery: f64) -> String {
    let count = |is: fn(&Fate) -> bool| sent.iter().filter(|it| is(&it.fate)).count();
    let repeated = if repeated > 0 { format!(", {repeated} repeated by Dapr") } else { String::new() };
    format!(
        "{} now, {} later, {} dropped, {} failed{repeated}; {recovery:.1} s",
        count(|it| *it == Fate::Recorded),
        count(|it| *it == Fate::Deferred),
        count(|it| *it == Fate::Dropped),
        count(|it| matches!(it, Fate::Failed(_))),
    )
}

#[cfg(test)]
mod tests;
