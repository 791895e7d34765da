//! Whether what was acknowledged is in the table once, and no picture failed that need not.

use std::collections::BTreeMap;

use super::drill::Phase;
use super::load::{Fate, Part, Sent, Way};
use super::victim::{Blow, Victim};

/// So many examples of what is wrong are shown.
const SHOWN: usize = 5;

/// What is to be said about one blow in one world.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) blow: Blow,
    /// The events of the phase: recorded at once, later, or not; failed requests; and how long it took to recover.
    pub(super) summary: String,
    pub(super) complaints: Vec<String>,
}

/// Judges all phases. What is wrong before the first blow is told with it.
pub(super) fn all(phases: Vec<Phase>, sent: &[Sent], table: &[usize]) -> Vec<Judgement> {
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for size in table {
        *times.entry(*size).or_default() += 1;
    }
    let victims: Vec<_> = phases.iter().map(|it| it.blow.map(|blow| blow.victim)).collect();
    let mut judgements = Vec::new();
    let mut complaints = Vec::new();
    for (number, phase) in phases.into_iter().enumerate() {
        let sent: Vec<_> = sent.iter().filter(|it| it.begin.phase == number).collect();
        complaints.extend(phase.complaints);
        complaints.extend(wrong(&sent, "acknowledged, and not in the table", |it| {
            it.fate.is_acknowledged() && !times.contains_key(&it.size)
        }));
        complaints.extend(wrong(&sent, "more than once in the table", |it| {
            times.get(&it.size).is_some_and(|times| *times > 1)
        }));
        complaints.extend(wrong(&sent, "not answered, though what was killed is not needed for that", |it| {
            matches!(it.fate, Fate::Failed(_)) && !is_excused(it, &victims)
        }));
        if let Some(blow) = phase.blow {
            complaints.extend(while_gone(&sent, blow.victim));
            let summary = summary(&sent, phase.recovery.as_secs_f64());
            judgements.push(Judgement { blow, summary, complaints: std::mem::take(&mut complaints) });
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

fn summary(sent: &[&Sent], recovery: f64) -> String {
    let count = |is: fn(&Fate) -> bool| sent.iter().filter(|it| is(&it.fate)).count();
    format!(
        "{} now, {} later, {} dropped, {} failed; {recovery:.1} s",
        count(|it| *it == Fate::Recorded),
        count(|it| *it == Fate::Deferred),
        count(|it| *it == Fate::Dropped),
        count(|it| matches!(it, Fate::Failed(_))),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::faults::load::Moment;
    use crate::faults::victim::GRAYSCALE;

    fn phase(victim: Option<Victim>) -> Phase {
        let blow = victim.map(|victim| Blow { victim, is_amid_delivery: false });
        Phase { blow, recovery: Duration::ZERO, complaints: Vec::new() }
    }

    fn sent(size: usize, way: Way, part: Part, fate: Fate) -> Sent {
        let begin = Moment { phase: 1, part };
        Sent { size, way, begin, end: begin, fate }
    }

    fn complaints(victim: Victim, sent: &[Sent], table: &[usize]) -> String {
        let judgements = all(vec![phase(None), phase(Some(victim))], sent, table);
        judgements[0].complaints.join("\n")
    }

    #[test]
    fn an_acknowledged_event_has_to_be_there_and_no_event_twice() {
        let all = [
            sent(1, Way::Direct, Part::Back, Fate::Recorded),
            sent(2, Way::Invoked, Part::Gone, Fate::Deferred),
            sent(3, Way::Direct, Part::Back, Fate::Dropped),
        ];
        assert_eq!(complaints(Victim::Redis, &all, &[1, 2]), "");
        assert_eq!(complaints(Victim::Redis, &all, &[3, 2, 1]), "");
        let lost = complaints(Victim::Redis, &all, &[1]);
        assert!(lost.starts_with("1 of 3 pictures acknowledged, and not in the table: 2 bytes, Invoked"), "{lost}");
        let doubled = complaints(Victim::Redis, &all, &[1, 3, 2, 3]);
        assert!(doubled.starts_with("1 of 3 pictures more than once in the table: 3 bytes"), "{doubled}");
    }

    #[test]
    fn only_a_victim_that_is_needed_for_a_picture_excuses_that_it_failed() {
        let failed = |way| [sent(1, way, Part::Back, Fate::Failed("0".to_owned()))];
        assert_ne!(complaints(Victim::Redis, &failed(Way::Direct), &[]), "");
        assert_eq!(complaints(Victim::Service(GRAYSCALE), &failed(Way::Direct), &[]), "");
        assert_ne!(complaints(Victim::Redis, &failed(Way::Invoked), &[]), "");
    }

    #[test]
    fn a_promise_that_nobody_could_have_made_is_found_out() {
        let told = |fate| complaints(Victim::Sidecar(GRAYSCALE), &[sent(1, Way::Direct, Part::Gone, fate)], &[1]);
        assert_eq!(told(Fate::Dropped), "");
        assert!(told(Fate::Recorded).contains("what cannot be true"));
        assert!(told(Fate::Recorded).contains("no event was Dropped"));
    }
}
