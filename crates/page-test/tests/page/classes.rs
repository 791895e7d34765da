//! Having a picture classified.

use std::path::PathBuf;

use e2e::Options;
use page_test::{Look, Stage, did_not_run};
use serde_json::json;

#[tokio::test]
async fn without_a_model_the_page_shows_the_services_own_words() {
    // A folder, and no model in it.
    let model = e2e::repository();
    let options = Options { model: Some(model), ..Options::default() };
    let Some(stage) = Stage::set(Look::Desk, options).await else { return };
    stage.take_sample().await;
    stage.click("#classify").await;
    stage.until("document.querySelector('.failure')").await;
    let words = stage.text("#shown-outcome").await;
    assert!(
        words.contains("not ready") && words.contains("here is no model in") && words.contains("MODEL_DIR"),
        "{words}"
    );
    stage.keep("without-model").await;
}

#[tokio::test]
async fn the_services_own_model_knows_what_the_sample_shows() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.take_sample().await;
    stage.click("#classify").await;
    stage.until("document.querySelectorAll('.classes li').length === 5").await;
    assert_eq!(stage.text(".classes li:first-child .label").await, "ship");
}

#[tokio::test]
async fn thing_that_small_model_does_not_know_is_shown_as_not_sure() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.click(".example:last-child").await;
    stage.until_both_results().await;
    assert_eq!(stage.text("#shown-outcome .unsure").await, "Not sure");
    assert!(stage.text("#shown-caption").await.starts_with("Not sure: "));
    stage.click(".example:first-child").await;
    stage.until("document.getElementById('shown-caption').textContent.startsWith('Most likely ship, ')").await;
    assert_eq!(stage.evaluate("document.querySelectorAll('.unsure').length").await, json!(0));
    stage.keep_view("sure").await;
}

#[tokio::test]
async fn a_hot_dog_is_a_hotdog_and_its_bar_is_the_longest() {
    let Some(data) = std::env::var_os("TESTDATA_DIR").map(PathBuf::from) else {
        did_not_run("TESTDATA_DIR names no folder with models/mobilenet-v2 and images/food.jpg");
        return;
    };
    let data = data.canonicalize().unwrap();
    let options = Options { model: Some(data.join("models/mobilenet-v2")), ..Options::default() };
    let Some(stage) = Stage::set(Look::Desk, options).await else { return };
    stage.fill("#file", &data.join("images/food.jpg").display().to_string()).await;
    stage.until_picture_is_shown("picture").await;
    stage.click("#classify").await;
    stage.until("document.querySelectorAll('.classes li').length === 5").await;
    assert_eq!(stage.text(".classes li:first-child .label").await, "hotdog");
    let widths =
        "[...document.querySelectorAll('.bar')].map((bar) => parseFloat(getComputedStyle(bar, '::before').width))";
    let widths: Vec<f64> = serde_json::from_value(stage.evaluate(widths).await).unwrap();
    assert!(widths.is_sorted_by(|a, b| a >= b) && widths[0] > 10.0 * widths[1], "{widths:?}");
    stage.until("document.querySelector('#events tbody tr td:nth-child(3)')?.textContent === 'classify'").await;
    assert_eq!(stage.evaluate("document.querySelectorAll('.failure').length").await, json!(0));
    stage.keep("classes").await;
}
