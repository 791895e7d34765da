//! The table of events.

use e2e::Options;
use page_test::{Look, Stage};
use serde_json::json;

/// The table's first row, cell by cell.
const NEWEST: &str = "[...(document.querySelector('#events tbody tr')?.cells ?? [])].map((cell) => cell.textContent)";

#[tokio::test]
async fn each_request_puts_its_event_on_top_of_the_table() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.until("document.getElementById('events-note').textContent === 'No events yet.'").await;
    stage.take_sample().await;
    for number in 1..=2 {
        stage.click("#grayscale").await;
        stage.until(&format!("document.querySelectorAll('#events tbody tr').length === {number}")).await;
        let newest = stage.evaluate(NEWEST).await;
        assert_eq!((&newest[0], &newest[2]), (&json!(number.to_string()), &json!("grayscale")));
    }
}

#[tokio::test]
async fn refresh_shows_what_others_did_and_their_words_stay_text() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let hostile = "<img src=x onerror=alert(1)>";
    let event = json!({ "event_ts": 0, "op_type": hostile, "input_size": 1_500_000 });
    let created = stage.world.events("POST", "/create_event").body(event.to_string()).send();
    assert_eq!(created.status, 200, "{}", created.text());
    stage.click("#refresh").await;
    stage.until("!document.getElementById('events').hidden").await;
    let newest = stage.evaluate(NEWEST).await;
    assert_eq!((&newest[2], &newest[3]), (&json!(hostile), &json!("1.5 MB")));
    assert_eq!(stage.evaluate("document.querySelectorAll('table img').length").await, json!(0));
}

#[tokio::test]
async fn nothing_but_the_pages_own_scripts_runs() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let inject = "const script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(script);
        return window.injected ?? false;";
    assert_eq!(stage.run(inject, vec![]).await, json!(false));
}
