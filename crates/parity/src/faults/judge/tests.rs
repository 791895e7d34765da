//! What the judge finds out.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::faults::load::Moment;
use crate::faults::victim::When;

fn phase(victim: Option<Victim>) -> Phase {
    let blow = victim.map(|victim| Blow { victim, when: When::Calm });
    Phase { blow, recovery: Duration::ZERO, complaints: Vec::new() }
}

fn sent(size: usize, way: Way, part: Part, fate: Fate) -> Sent {
    let begin = Moment { phase: 1, part };
    Sent { size, way, begin, end: begin, fate }
}

/// What is wrong when the table has events of these sizes, each made at that time.
fn complaints(victim: Victim, sent: &[Sent], table: &[(usize, u64)]) -> String {
    let rows: Vec<_> = table
        .iter()
        .map(|(size, time)| json!({ "id": 1, "event_ts": time, "op_type": "grayscale", "input_size": size }))
        .collect();
    let table: Vec<Row> = serde_json::from_value(rows.into()).unwrap();
    let judgements = all(vec![phase(None), phase(Some(victim))], sent, &table);
    judgements[0].complaints.join("\n")
}

#[test]
fn an_acknowledged_event_has_to_be_there_and_no_event_twice() {
    let all = [
        sent(1, Way::Direct, Part::Back, Fate::Recorded),
        sent(2, Way::Invoked, Part::Gone, Fate::Deferred),
        sent(3, Way::Direct, Part::Back, Fate::Dropped),
    ];
    assert_eq!(complaints(Victim::Redis, &all, &[(1, 10), (2, 10)]), "");
    assert_eq!(complaints(Victim::Redis, &all, &[(3, 10), (2, 10), (1, 10)]), "");
    let lost = complaints(Victim::Redis, &all, &[(1, 10)]);
    assert!(lost.starts_with("1 of 3 pictures acknowledged, and not in the table: 2 bytes, Invoked"), "{lost}");
    let doubled = complaints(Victim::Redis, &all, &[(1, 10), (3, 10), (2, 10), (3, 11)]);
    assert!(doubled.starts_with("1 of 3 pictures of which several events are in the table: 3 bytes"), "{doubled}");
}

#[test]
fn dapr_may_repeat_a_request_and_nobody_may_repeat_an_event() {
    let dropped = || sent(2, Way::Direct, Part::Gone, Fate::Dropped);
    let sent = |way, part| [sent(1, way, part, Fate::Recorded), dropped()];
    let (grayscale, other) = (Victim::Sidecar(GRAYSCALE), Victim::Service(GRAYSCALE));
    let told = |victim, way, part, second| complaints(victim, &sent(way, part), &[(1, 10), (1, second)]);
    assert_eq!(told(grayscale, Way::Invoked, Part::Going, 1010), "");
    assert!(told(grayscale, Way::Invoked, Part::Going, 10).contains("twice"));
    assert!(told(grayscale, Way::Invoked, Part::Back, 1010).contains("several"));
    assert!(told(grayscale, Way::Direct, Part::Going, 1010).contains("several"));
    assert!(told(other, Way::Invoked, Part::Going, 1010).contains("several"));
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
    let told = |fate| complaints(Victim::Sidecar(GRAYSCALE), &[sent(1, Way::Direct, Part::Gone, fate)], &[(1, 10)]);
    assert_eq!(told(Fate::Dropped), "");
    assert!(told(Fate::Recorded).contains("what cannot be true"));
    assert!(told(Fate::Recorded).contains("no event was Dropped"));
}
