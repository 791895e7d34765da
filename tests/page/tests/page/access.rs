//! Accessibility: keyboard, dark colour scheme, phones, screen readers.

use e2e::Options;
use fantoccini::key::Key;
use page_tests::{PageSession, Viewport};
use serde_json::{Value, json};

/// More tab stops than the page has.
const MAX_TAB_STOPS: usize = 20;

/// Script that returns the contrast of an element's text with its background, as WCAG defines it.
const CONTRAST: &str = "
    // A canvas knows every way to write a colour, and how they lie on each other.
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    const paint = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
    };
    const luminance = () => {
        const light = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    };
    const grounds = (element) => (element ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : []);
    const element = document.querySelector(arguments[0]);
    grounds(element).forEach(paint);
    const ground = luminance();
    paint(getComputedStyle(element).color);
    const text = luminance();
    return (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);";

/// Moves to an element with the Tab key, and checks that the focus is visible at every stop.
async fn tab_to(session: &PageSession, selector: &str) {
    for _ in 0..MAX_TAB_STOPS {
        session.press(&char::from(Key::Tab).to_string()).await;
        let outline = session.evaluate("getComputedStyle(document.activeElement).outlineStyle").await;
        let on_page = session.evaluate("document.activeElement !== document.body").await;
        assert!(
            on_page == json!(false) || outline == json!("solid"),
            "a focus that cannot be seen on the way to {selector}"
        );
        if session.evaluate(&format!("document.activeElement.matches('{selector}')")).await == json!(true) {
            return;
        }
    }
    panic!("{selector} cannot be reached");
}

async fn assert_every_text_is_readable(session: &PageSession) {
    for selector in ["h1", "header p", "figcaption", "button.main", "#hint", "#answers", "th", "td", "summary", "label"]
    {
        let contrast = session.run(CONTRAST, vec![json!(selector)]).await.as_f64().unwrap();
        assert!(contrast >= 4.5, "{selector}: {contrast}");
    }
}

async fn turn_the_sample_gray(session: &PageSession) {
    session.take_sample().await;
    session.click("#grayscale").await;
    session.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
    session.until("document.querySelector('#events tbody tr')").await;
}

#[tokio::test]
async fn page_works_with_the_keyboard_alone() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let (enter, space) = (char::from(Key::Enter).to_string(), " ");
    tab_to(&session, ".example").await;
    session.press(&enter).await;
    session.until_picture_is_shown("picture").await;
    session.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
    tab_to(&session, "#choose").await;
    tab_to(&session, "#gray-outcome a").await;
    tab_to(&session, "#grayscale").await;
    session.press(space).await;
    session.until("document.querySelectorAll('#events tbody tr').length === 3").await;
    tab_to(&session, "#refresh").await;
    tab_to(&session, "[name=events]").await;
    session.press(&enter).await;
    session.until("document.getElementById('settings-note').textContent === 'Saved.'").await;
}

#[tokio::test]
async fn controls_have_names_and_changes_are_announced() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let nameless = "[...document.querySelectorAll('button, input:not([aria-hidden]), a, img:not([hidden])')]
        .filter((control) => !(control.innerText || control.labels?.length || control.querySelector('img')?.alt || control.alt))
        .map((control) => control.outerHTML)";
    assert_eq!(session.evaluate(nameless).await, json!([]));
    turn_the_sample_gray(&session).await;
    assert_eq!(session.evaluate(nameless).await, json!([]));
    let said = "['gray-caption', 'shown-caption', 'events-note', 'settings-note'].map((id) => document.getElementById(id).role)";
    assert_eq!(session.evaluate(said).await, json!(["status", "status", "status", "status"]));
}

#[tokio::test]
async fn light_page_is_readable() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    turn_the_sample_gray(&session).await;
    assert_every_text_is_readable(&session).await;
}

#[tokio::test]
async fn dark_page_is_readable() {
    let Some(session) = PageSession::start(Viewport::Dark, Options::default()).await else { return };
    turn_the_sample_gray(&session).await;
    let ground: Value =
        session.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)").await;
    assert!(ground.as_array().unwrap().iter().all(|channel| channel.as_u64() < Some(64)), "{ground}");
    assert_every_text_is_readable(&session).await;
    session.keep("dark").await;
}

#[tokio::test]
async fn phone_page_does_not_overflow() {
    let Some(session) = PageSession::start(Viewport::Phone, Options::default()).await else { return };
    turn_the_sample_gray(&session).await;
    let widths = session.evaluate("[innerWidth, document.documentElement.scrollWidth]").await;
    assert_eq!(widths, json!([360, 360]));
    session.keep("phone").await;
}

#[tokio::test]
async fn phone_shows_results_without_scrolling() {
    let Some(session) = PageSession::start(Viewport::Handheld, Options::default()).await else { return };
    session.open_as_visitor().await;
    session.click(".example:last-child").await;
    session.until_both_results().await;
    session.until("document.getElementById('answers').textContent.includes('This request')").await;
    let bottoms = "['original', 'gray', 'shown', 'answers'].map((id) => document.getElementById(id).getBoundingClientRect().bottom)";
    let bottoms: Vec<f64> = serde_json::from_value(session.evaluate(bottoms).await).unwrap();
    assert_eq!(session.evaluate("[innerWidth, innerHeight, scrollY]").await, json!([390, 844, 0]));
    assert!(bottoms.iter().all(|bottom| *bottom <= 844.0), "{bottoms:?}");
    session.keep_view("handheld").await;
}
