//! Classification of an image.

use std::path::PathBuf;

use e2e::Options;
use page_tests::{PageSession, Viewport, did_not_run};
use serde_json::json;

#[tokio::test]
async fn missing_model_shows_the_services_message() {
    // A directory without a model.
    let model = e2e::repository();
    let options = Options { model: Some(model), ..Options::default() };
    let Some(session) = PageSession::start(Viewport::Desk, options).await else { return };
    session.take_sample().await;
    session.click("#classify").await;
    session.until("document.querySelector('.failure')").await;
    let words = session.text("#shown-outcome").await;
    assert!(
        words.contains("not ready") && words.contains("here is no model in") && words.contains("MODEL_DIR"),
        "{words}"
    );
    session.keep("without-model").await;
}

#[tokio::test]
async fn embedded_model_recognises_the_sample() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.take_sample().await;
    session.click("#classify").await;
    session.until("document.querySelectorAll('.classes li').length === 5").await;
    assert_eq!(session.text(".classes li:first-child .label").await, "ship");
}

#[tokio::test]
async fn unknown_class_is_shown_as_not_sure() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.click(".example:last-child").await;
    session.until_both_results().await;
    assert_eq!(session.text("#shown-outcome .unsure").await, "Not sure");
    assert!(session.text("#shown-caption").await.starts_with("Not sure: "));
    session.click(".example:first-child").await;
    session.until("document.getElementById('shown-caption').textContent.startsWith('Most likely ship, ')").await;
    assert_eq!(session.evaluate("document.querySelectorAll('.unsure').length").await, json!(0));
    session.keep_view("sure").await;
}

#[tokio::test]
async fn hot_dog_is_recognised_with_the_longest_bar() {
    let Some(data) = std::env::var_os("TESTDATA_DIR").map(PathBuf::from) else {
        did_not_run("TESTDATA_DIR names no folder with models/mobilenet-v2 and images/food.jpg");
        return;
    };
    let data = data.canonicalize().unwrap();
    let options = Options { model: Some(data.join("models/mobilenet-v2")), ..Options::default() };
    let Some(session) = PageSession::start(Viewport::Desk, options).await else { return };
    session.fill("#file", &data.join("images/food.jpg").display().to_string()).await;
    session.until_picture_is_shown("picture").await;
    session.click("#classify").await;
    session.until("document.querySelectorAll('.classes li').length === 5").await;
    assert_eq!(session.text(".classes li:first-child .label").await, "hotdog");
    let widths =
        "[...document.querySelectorAll('.bar')].map((bar) => parseFloat(getComputedStyle(bar, '::before').width))";
    let widths: Vec<f64> = serde_json::from_value(session.evaluate(widths).await).unwrap();
    assert!(widths.is_sorted_by(|a, b| a >= b) && widths[0] > 10.0 * widths[1], "{widths:?}");
    session.until("document.querySelector('#events tbody tr td:nth-child(3)')?.textContent === 'classify'").await;
    assert_eq!(session.evaluate("document.querySelectorAll('.failure').length").await, json!(0));
    session.keep("classes").await;
}
