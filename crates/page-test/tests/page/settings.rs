//! Where the services are, without editing code.

use e2e::Options;
use page_test::{Look, Stage};
use serde_json::json;

const NOTE: &str = "document.getElementById('settings-note').textContent";

#[tokio::test]
async fn an_address_in_the_form_is_kept_by_the_browser() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.open("").await;
    let fallback = stage.evaluate("document.querySelector('[name=grayscale]').value").await;
    let port = stage.world.ports.grayscale;
    assert_eq!(
        fallback,
        json!(format!("http://127.0.0.1:{port}")),
        "the page's own host, and the port that daprlet tells"
    );
    stage.click("summary").await;
    let address = format!("http://localhost:{port}");
    stage.run("document.querySelector('[name=grayscale]').value = ''", vec![]).await;
    stage.fill("[name=grayscale]", &format!("{address}/")).await;
    stage.click("#addresses [type=submit]").await;
    stage.until(&format!("{NOTE} === 'Saved.'")).await;
    stage.open("").await;
    assert_eq!(stage.evaluate("document.querySelector('[name=grayscale]').value").await, json!(address));
    stage.take_sample().await;
    stage.click("#grayscale").await;
    stage.until("document.querySelector('#gray-outcome img')").await;
    stage.click("summary").await;
    stage.click("#defaults").await;
    assert_eq!(stage.evaluate("document.querySelector('[name=grayscale]').value").await, fallback);
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_a_link_that_names_one_is_shown() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.until(&format!("{NOTE}.includes('Named by this page’s link: grayscale, classify, events.')")).await;
    stage.open("?classify=javascript:alert(1)").await;
    stage.until(&format!("{NOTE}.includes('“javascript:alert(1)” is not an address')")).await;
    stage.run("document.querySelector('[name=events]').value = 'somewhere'", vec![]).await;
    stage.click("#addresses [type=submit]").await;
    stage.until(&format!("{NOTE}.includes('“somewhere” is not an address')")).await;
    assert_eq!(stage.evaluate("document.activeElement.name").await, json!("events"));
    stage.keep("settings").await;
}
