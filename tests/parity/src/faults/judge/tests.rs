//! Errors that the judge detects.

use serde_json::json;

use super::*;
use crate::faults::kill::When;
use crate::faults::load::Moment;

fn phase(target: Option<Target>) -> Phase {
    let kill = target.map(|target| Kill { target, when: When::Calm });
    Phase { kill, ..Phase::default() }
}

fn sent(size: usize, route: Route, part: Part, outcome: EventOutcome) -> Sent {
    let begin = Moment { phase: 1, part };
    Sent { size, route, begin, end: begin, outcome }
}

/// Returns the errors for a table with events of these sizes and times.
fn errors(target: Target, sent: &[Sent], table: &[(usize, u64)]) -> String {
    let rows: Vec<_> = table
        .iter()
        .map(|(size, time)| json!({ "id": 1, "event_ts": time, "op_type": "grayscale", "input_size": size }))
        .collect();
    let table: Vec<Row> = serde_json::from_value(rows.into()).unwrap();
    let judgements = all(vec![phase(None), phase(Some(target))], sent, &table);
    judgements[0].errors.join("\n")
}

#[test]
fn lost_and_repeated_events_are_errors() {
    let all = [
        sent(1, Route::Direct, Part::Restarted, EventOutcome::Recorded),
        sent(2, Route::Invoked, Part::Stopped, EventOutcome::Deferred),
        sent(3, Route::Direct, Part::Restarted, EventOutcome::Dropped),
    ];
    assert_eq!(errors(Target::Redis, &all, &[(1, 10), (2, 10)]), "");
    assert_eq!(errors(Target::Redis, &all, &[(3, 10), (2, 10), (1, 10)]), "");
    let lost = errors(Target::Redis, &all, &[(1, 10)]);
    assert!(lost.starts_with("1 of 3 pictures acknowledged, and not in the table: 2 bytes, Invoked"), "{lost}");
    let doubled = errors(Target::Redis, &all, &[(1, 10), (3, 10), (2, 10), (3, 11)]);
    assert!(doubled.starts_with("1 of 3 pictures of which several events are in the table: 3 bytes"), "{doubled}");
}

#[test]
fn repeated_request_is_excused_and_repeated_event_is_not() {
    let dropped = || sent(2, Route::Direct, Part::Stopped, EventOutcome::Dropped);
    let sent = |route, part| [sent(1, route, part, EventOutcome::Recorded), dropped()];
    let (grayscale, other) = (Target::Sidecar(GRAYSCALE), Target::Service(GRAYSCALE));
    let problems = |target, route, part, second| errors(target, &sent(route, part), &[(1, 10), (1, second)]);
    assert_eq!(problems(grayscale, Route::Invoked, Part::Stopping, 1010), "");
    assert!(problems(grayscale, Route::Invoked, Part::Stopping, 10).contains("twice"));
    assert!(problems(grayscale, Route::Invoked, Part::Restarted, 1010).contains("several"));
    assert!(problems(grayscale, Route::Direct, Part::Stopping, 1010).contains("several"));
    assert!(problems(other, Route::Invoked, Part::Stopping, 1010).contains("several"));
}

#[test]
fn failure_is_excused_only_by_a_needed_target() {
    let failed = |route| [sent(1, route, Part::Restarted, EventOutcome::Failed("0".to_owned()))];
    assert_ne!(errors(Target::Redis, &failed(Route::Direct), &[]), "");
    assert_eq!(errors(Target::Service(GRAYSCALE), &failed(Route::Direct), &[]), "");
    assert_ne!(errors(Target::Redis, &failed(Route::Invoked), &[]), "");
}

#[test]
fn impossible_outcome_is_an_error() {
    let problems =
        |outcome| errors(Target::Sidecar(GRAYSCALE), &[sent(1, Route::Direct, Part::Stopped, outcome)], &[(1, 10)]);
    assert_eq!(problems(EventOutcome::Dropped), "");
    assert!(problems(EventOutcome::Recorded).contains("what cannot be true"));
    assert!(problems(EventOutcome::Recorded).contains("no event was Dropped"));
}

#[test]
fn rate_limit_is_excused_by_a_set_clock_only() {
    let limited = [sent(1, Route::Direct, Part::Stopped, EventOutcome::RateLimited)];
    assert_eq!(errors(Target::Clock(-1), &limited, &[]), "");
    let redis = errors(Target::Redis, &limited, &[]);
    assert!(redis.starts_with("1 of 1 pictures over the rate limit, though no clock was set"), "{redis}");
}
