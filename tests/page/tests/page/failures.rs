//! Error messages.

use std::net::TcpListener;

use e2e::Options;
use page_tests::{PageSession, Viewport};
use serde_json::json;

/// Returns the error message of the page.
async fn failure(session: &PageSession) -> String {
    session.until("document.querySelector('.failure[role=alert]')").await;
    session.text(".failure").await
}

#[tokio::test]
async fn missing_image_is_requested() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    assert_eq!(session.text("#hint").await, "First choose a picture, or click an example.");
    session.click("#classify").await;
    assert!(failure(&session).await.starts_with("No picture yet\nChoose one, drop or paste one, or click an example."));
    assert_eq!(session.evaluate("document.activeElement.id").await, json!("choose"));
}

#[tokio::test]
async fn file_over_16_mib_is_rejected_before_upload() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let file = session.deployment.folder().join("large.bmp");
    std::fs::write(&file, vec![0; (16 << 20) + 1]).unwrap();
    session.fill("#file", &file.display().to_string()).await;
    session.until("document.getElementById('picture-caption').textContent.includes(', too large')").await;
    session.click("#classify").await;
    let words = failure(&session).await;
    assert!(words.starts_with("Too large\nlarge.bmp has 16.0 MiB") && words.contains("Nothing was sent"), "{words}");
    let sent = "performance.getEntriesByType('resource').filter((it) => it.name.endsWith('/classify')).length";
    assert_eq!(session.evaluate(sent).await, json!(0));
}

#[tokio::test]
async fn non_image_file_shows_the_services_message() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let notes = session.deployment.folder().join("notes.txt");
    std::fs::write(&notes, "milk, eggs").unwrap();
    session.fill("#file", &notes.display().to_string()).await;
    session.until("document.getElementById('picture-caption').textContent.includes('cannot show it')").await;
    session.click("#grayscale").await;
    let words = failure(&session).await;
    assert!(words.starts_with("Not a picture\n") && words.contains("JPEG, PNG, GIF, WebP or BMP"), "{words}");
    session.keep("no-picture").await;
}

#[tokio::test]
async fn unreachable_service_is_named_by_address() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    // The listener is closed at the end of the line, and its port with it.
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    session.open(&format!("?grayscale=http://{nowhere}&events=http://{nowhere}")).await;
    session.take_sample().await;
    session.click("#grayscale").await;
    let words = failure(&session).await;
    assert!(words.contains(&nowhere.to_string()) && words.contains("Is the service running"), "{words}");
    assert!(session.text("#events-note").await.contains(&nowhere.to_string()));
    session.keep("no-service").await;
}

#[tokio::test]
async fn rate_limit_error_shows_retry_after() {
    let settings = ["RATE_LIMIT_PER_MINUTE=1", "RATE_LIMIT_BURST=1"].map(str::to_owned).to_vec();
    let Some(session) = PageSession::start(Viewport::Desk, Options { settings, ..Options::default() }).await else {
        return;
    };
    session.take_sample().await;
    session.click("#grayscale").await;
    session.until("document.querySelector('#gray-outcome img')").await;
    session.click("#grayscale").await;
    let words = failure(&session).await;
    assert!(words.starts_with("Too many requests: try again in "), "{words}");
}
