//! What goes wrong is told in words.

use std::net::TcpListener;

use e2e::Options;
use page_test::{Look, Stage};
use serde_json::json;

/// What the page says once something has failed.
async fn failure(stage: &Stage) -> String {
    stage.until("document.querySelector('.failure[role=alert]')").await;
    stage.text(".failure").await
}

#[tokio::test]
async fn without_a_picture_the_page_asks_for_one() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    assert_eq!(stage.text("#hint").await, "First choose a picture, or click an example.");
    stage.click("#classify").await;
    assert!(failure(&stage).await.starts_with("No picture yet\nChoose one, drop or paste one, or click an example."));
    assert_eq!(stage.evaluate("document.activeElement.id").await, json!("choose"));
}

#[tokio::test]
async fn file_over_16_mib_is_refused_before_the_upload() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let file = stage.world.folder().join("large.bmp");
    std::fs::write(&file, vec![0; (16 << 20) + 1]).unwrap();
    stage.fill("#file", &file.display().to_string()).await;
    stage.until("document.getElementById('picture-caption').textContent.includes(', too large')").await;
    stage.click("#classify").await;
    let words = failure(&stage).await;
    assert!(words.starts_with("Too large\nlarge.bmp has 16.0 MiB") && words.contains("Nothing was sent"), "{words}");
    let sent = "performance.getEntriesByType('resource').filter((it) => it.name.endsWith('/classify')).length";
    assert_eq!(stage.evaluate(sent).await, json!(0));
}

#[tokio::test]
async fn a_file_that_is_no_picture_is_refused_in_the_services_words() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let notes = stage.world.folder().join("notes.txt");
    std::fs::write(&notes, "milk, eggs").unwrap();
    stage.fill("#file", &notes.display().to_string()).await;
    stage.until("document.getElementById('picture-caption').textContent.includes('cannot show it')").await;
    stage.click("#grayscale").await;
    let words = failure(&stage).await;
    assert!(words.starts_with("Not a picture\n") && words.contains("JPEG, PNG, GIF, WebP or BMP"), "{words}");
    stage.keep("no-picture").await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_by_its_address() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    // The listener is gone at the end of the line, and its port with it.
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.open(&format!("?grayscale=http://{nowhere}&events=http://{nowhere}")).await;
    stage.take_sample().await;
    stage.click("#grayscale").await;
    let words = failure(&stage).await;
    assert!(words.contains(&nowhere.to_string()) && words.contains("Is the service running"), "{words}");
    assert!(stage.text("#events-note").await.contains(&nowhere.to_string()));
    stage.keep("no-service").await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let settings = ["RATE_LIMIT_PER_MINUTE=1", "RATE_LIMIT_BURST=1"].map(str::to_owned).to_vec();
    let Some(stage) = Stage::set(Look::Desk, Options { settings, ..Options::default() }).await else { return };
    stage.take_sample().await;
    stage.click("#grayscale").await;
    stage.until("document.querySelector('#gray-outcome img')").await;
    stage.click("#grayscale").await;
    let words = failure(&stage).await;
    assert!(words.starts_with("Too many requests: try again in "), "{words}");
}
