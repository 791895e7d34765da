//! For everybody: without a mouse, in the dark, on a phone, by ear.

use e2e::Options;
use fantoccini::key::Key;
use page_test::{Look, Stage};
use serde_json::{Value, json};

/// More stops than the page has.
const STOPS: usize = 20;

/// The contrast of an element's text with what is behind it, as WCAG defines it.
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

/// Walks with the Tab key, and sees the focus at every stop.
async fn tab_to(stage: &Stage, selector: &str) {
    for _ in 0..STOPS {
        stage.press(&char::from(Key::Tab).to_string()).await;
        let outline = stage.evaluate("getComputedStyle(document.activeElement).outlineStyle").await;
        let on_page = stage.evaluate("document.activeElement !== document.body").await;
        assert!(
            on_page == json!(false) || outline == json!("solid"),
            "a focus that cannot be seen on the way to {selector}"
        );
        if stage.evaluate(&format!("document.activeElement.matches('{selector}')")).await == json!(true) {
            return;
        }
    }
    panic!("{selector} cannot be reached");
}

async fn every_text_is_readable(stage: &Stage) {
    for selector in ["h1", "header p", "figcaption", "button.main", "#hint", "#answers", "th", "td", "summary", "label"]
    {
        let contrast = stage.run(CONTRAST, vec![json!(selector)]).await.as_f64().unwrap();
        assert!(contrast >= 4.5, "{selector}: {contrast}");
    }
}

async fn turn_the_sample_gray(stage: &Stage) {
    stage.take_sample().await;
    stage.click("#grayscale").await;
    stage.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
    stage.until("document.querySelector('#events tbody tr')").await;
}

#[tokio::test]
async fn everything_is_done_with_the_keyboard_alone() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let (enter, space) = (char::from(Key::Enter).to_string(), " ");
    tab_to(&stage, ".example").await;
    stage.press(&enter).await;
    stage.until_picture_is_shown("picture").await;
    stage.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
    tab_to(&stage, "#choose").await;
    tab_to(&stage, "#gray-outcome a").await;
    tab_to(&stage, "#grayscale").await;
    stage.press(space).await;
    stage.until("document.querySelectorAll('#events tbody tr').length === 3").await;
    tab_to(&stage, "#refresh").await;
    tab_to(&stage, "[name=events]").await;
    stage.press(&enter).await;
    stage.until("document.getElementById('settings-note').textContent === 'Saved.'").await;
}

#[tokio::test]
async fn every_control_has_a_name_and_every_change_is_said() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let nameless = "[...document.querySelectorAll('button, input:not([aria-hidden]), a, img:not([hidden])')]
        .filter((control) => !(control.innerText || control.labels?.length || control.querySelector('img')?.alt || control.alt))
        .map((control) => control.outerHTML)";
    assert_eq!(stage.evaluate(nameless).await, json!([]));
    turn_the_sample_gray(&stage).await;
    assert_eq!(stage.evaluate(nameless).await, json!([]));
    let said = "['gray-caption', 'shown-caption', 'events-note', 'settings-note'].map((id) => document.getElementById(id).role)";
    assert_eq!(stage.evaluate(said).await, json!(["status", "status", "status", "status"]));
}

#[tokio::test]
async fn by_day_the_page_is_bright_and_readable() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    turn_the_sample_gray(&stage).await;
    every_text_is_readable(&stage).await;
}

#[tokio::test]
async fn who_likes_it_dark_gets_it_dark_and_readable() {
    let Some(stage) = Stage::set(Look::Dark, Options::default()).await else { return };
    turn_the_sample_gray(&stage).await;
    let ground: Value =
        stage.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)").await;
    assert!(ground.as_array().unwrap().iter().all(|channel| channel.as_u64() < Some(64)), "{ground}");
    every_text_is_readable(&stage).await;
    stage.keep("dark").await;
}

#[tokio::test]
async fn on_a_phone_nothing_sticks_out_sideways() {
    let Some(stage) = Stage::set(Look::Phone, Options::default()).await else { return };
    turn_the_sample_gray(&stage).await;
    let widths = stage.evaluate("[innerWidth, document.documentElement.scrollWidth]").await;
    assert_eq!(widths, json!([360, 360]));
    stage.keep("phone").await;
}

#[tokio::test]
async fn handheld_phone_shows_results_without_scrolling() {
    let Some(stage) = Stage::set(Look::Handheld, Options::default()).await else { return };
    stage.open_as_visitor().await;
    stage.click(".example:last-child").await;
    stage.until_both_results().await;
    stage.until("document.getElementById('answers').textContent.includes('This request')").await;
    let bottoms = "['original', 'gray', 'shown', 'answers'].map((id) => document.getElementById(id).getBoundingClientRect().bottom)";
    let bottoms: Vec<f64> = serde_json::from_value(stage.evaluate(bottoms).await).unwrap();
    assert_eq!(stage.evaluate("[innerWidth, innerHeight, scrollY]").await, json!([390, 844, 0]));
    assert!(bottoms.iter().all(|bottom| *bottom <= 844.0), "{bottoms:?}");
    stage.keep_view("handheld").await;
}
