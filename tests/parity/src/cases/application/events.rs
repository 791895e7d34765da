//! The events service and its table.

use super::{EVENTS, GRAYSCALE};
use crate::case::{Case, Step, app, case, dapr};

fn events(method: &str, path: &str) -> Step {
    app(EVENTS, method, path)
}

fn create(event: &str) -> Step {
    events("POST", "/create_event").json(event.to_owned())
}

pub(super) fn cases() -> Vec<Case> {
    let good = r#"{"event_ts":1,"op_type":"grayscale","input_size":68016}"#;
    let mut all = vec![
        case(
            "events: from the beginning",
            [
                events("GET", "/init"),
                events("POST", "/init"),
                events("GET", "/events"),
                create(good),
                create(r#"{"event_ts":2,"op_type":"classify","input_size":0}"#),
                events("GET", "/events"),
                events("GET", "/events?limit=1"),
                events("GET", "/events?before=2"),
                events("GET", "/events?limit=5&before=1"),
            ],
        ),
        case(
            "events: SQL is text",
            [
                create(r#"{"event_ts":3,"op_type":"'); DROP TABLE image_evts; --","input_size":1}"#),
                events("GET", "/events?limit=1"),
            ],
        ),
        case(
            "events: Unicode",
            [create(r#"{"event_ts":4,"op_type":"grau ä € 😀","input_size":1}"#), events("GET", "/events?limit=1")],
        ),
        case(
            "events: one key twice is one event",
            [
                create(
                    r#"{"event_ts":5,"op_type":"x","input_size":1,"event_key":"11111111-2222-4333-8444-555555555555"}"#,
                ),
                create(
                    r#"{"event_ts":5,"op_type":"x","input_size":1,"event_key":"11111111-2222-4333-8444-555555555555"}"#,
                ),
                events("GET", "/events?limit=2"),
            ],
        ),
        case(
            "events: invoked through Dapr",
            [
                dapr(GRAYSCALE, "POST", "/v1.0/invoke/events-service/method/create_event").json(good),
                dapr(GRAYSCALE, "GET", "/v1.0/invoke/events-service/method/events?limit=1"),
            ],
        ),
        case(
            "events: emptied",
            [
                events("DELETE", "/events").header("origin", "http://elsewhere.test"),
                events("DELETE", "/events"),
                events("GET", "/events"),
            ],
        ),
    ];
    for (name, event) in [
        ("nothing", ""),
        ("no JSON", "{"),
        ("an array", "[]"),
        ("no time", r#"{"op_type":"x","input_size":1}"#),
        ("no type", r#"{"event_ts":1,"input_size":1}"#),
        ("no size", r#"{"event_ts":1,"op_type":"x"}"#),
        ("a time that is text", r#"{"event_ts":"now","op_type":"x","input_size":1}"#),
        ("a negative size", r#"{"event_ts":1,"op_type":"x","input_size":-1}"#),
        ("a size that is a fraction", r#"{"event_ts":1,"op_type":"x","input_size":1.5}"#),
        ("a size out of range", r#"{"event_ts":1,"op_type":"x","input_size":99999999999999999999}"#),
        ("a time out of range", r#"{"event_ts":99999999999999999999,"op_type":"x","input_size":1}"#),
        ("a type that is a number", r#"{"event_ts":1,"op_type":7,"input_size":1}"#),
        ("an empty type", r#"{"event_ts":1,"op_type":"","input_size":1}"#),
        ("a field nobody knows", r#"{"event_ts":1,"op_type":"x","input_size":1,"colour":"red"}"#),
    ] {
        all.push(case(format!("events: refused: {name}"), [create(event)]));
    }
    let long = format!(r#"{{"event_ts":1,"op_type":"{}","input_size":1}}"#, "x".repeat(10_000));
    all.push(case("events: refused: a long type", [create(&long)]));
    all.push(case("events: refused: a long body", [create(&" ".repeat(100_000))]));
    for query in ["limit=0", "limit=-1", "limit=x", "limit=100000", "before=x", "before=0", "unknown=1"] {
        all.push(case(format!("events: a page with {query}"), [events("GET", &format!("/events?{query}"))]));
    }
    all
}
