//! Addresses of the services, changed without editing code.

use e2e::Options;
use page_tests::{PageSession, Viewport};
use serde_json::json;

const NOTE: &str = "document.getElementById('settings-note').textContent";

#[tokio::test]
async fn address_in_the_form_is_stored_by_the_browser() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.open("").await;
    let port = session.deployment.ports.grayscale;
    // The page's own host, and the port that daprlet reports in a file of its own.
    let fallback = format!("http://127.0.0.1:{port}");
    session.until(&format!("document.querySelector('[name=grayscale]').value === '{fallback}'")).await;
    session.click("summary").await;
    let address = format!("http://localhost:{port}");
    session.run("document.querySelector('[name=grayscale]').value = ''", vec![]).await;
    session.fill("[name=grayscale]", &format!("{address}/")).await;
    session.click("#addresses [type=submit]").await;
    session.until(&format!("{NOTE} === 'Saved.'")).await;
    session.open("").await;
    session.until(&format!("document.querySelector('[name=grayscale]').value === '{address}'")).await;
    session.take_sample().await;
    session.click("#grayscale").await;
    session.until("document.querySelector('#gray-outcome img')").await;
    session.click("summary").await;
    session.click("#defaults").await;
    assert_eq!(session.evaluate("document.querySelector('[name=grayscale]').value").await, json!(fallback));
}

#[tokio::test]
async fn invalid_address_is_rejected_and_link_address_is_shown() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.until(&format!("{NOTE}.includes('Named by this page’s link: grayscale, classify, events.')")).await;
    session.open("?classify=javascript:alert(1)").await;
    session.until(&format!("{NOTE}.includes('“javascript:alert(1)” is not an address')")).await;
    session.run("document.querySelector('[name=events]').value = 'somewhere'", vec![]).await;
    session.click("#addresses [type=submit]").await;
    session.until(&format!("{NOTE}.includes('“somewhere” is not an address')")).await;
    assert_eq!(session.evaluate("document.activeElement.name").await, json!("events"));
    session.keep("settings").await;
}
