//! The table of events.

use e2e::Options;
use page_tests::{PageSession, Viewport};
use serde_json::json;

/// Script that returns the cells of the table's first row.
const NEWEST: &str = "[...(document.querySelector('#events tbody tr')?.cells ?? [])].map((cell) => cell.textContent)";

#[tokio::test]
async fn each_request_adds_its_event_on_top() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.until("document.getElementById('events-note').textContent === 'No events yet.'").await;
    session.take_sample().await;
    for number in 1..=2 {
        session.click("#grayscale").await;
        session.until(&format!("document.querySelectorAll('#events tbody tr').length === {number}")).await;
        let newest = session.evaluate(NEWEST).await;
        assert_eq!((&newest[0], &newest[2]), (&json!(number.to_string()), &json!("grayscale")));
    }
}

#[tokio::test]
async fn refresh_shows_other_events_as_text() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let hostile = "<img src=x onerror=alert(1)>";
    let event = json!({ "event_ts": 0, "op_type": hostile, "input_size": 1_500_000 });
    let created = session.deployment.events("POST", "/create_event").body(event.to_string()).send();
    assert_eq!(created.status, 200, "{}", created.text());
    session.click("#refresh").await;
    session.until("!document.getElementById('events').hidden").await;
    let newest = session.evaluate(NEWEST).await;
    assert_eq!((&newest[2], &newest[3]), (&json!(hostile), &json!("1.5 MB")));
    assert_eq!(session.evaluate("document.querySelectorAll('table img').length").await, json!(0));
}

#[tokio::test]
async fn event_of_somebody_else_appears_by_itself() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.until("document.getElementById('events-note').textContent === 'No events yet.'").await;
    for number in 1..=2 {
        let event = json!({ "event_ts": 0, "op_type": "elsewhere", "input_size": number });
        let created = session.deployment.events("POST", "/create_event").body(event.to_string()).send();
        assert_eq!(created.status, 200, "{}", created.text());
        session.until(&format!("document.querySelectorAll('#events tbody tr').length === {number}")).await;
        assert_eq!(session.evaluate(NEWEST).await[2], json!("elsewhere"));
    }
}

#[tokio::test]
async fn only_the_pages_own_scripts_run() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let inject = "const script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(script);
        return window.injected ?? false;";
    assert_eq!(session.run(inject, vec![]).await, json!(false));
}
