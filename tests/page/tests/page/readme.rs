//! The screenshot in README.

use std::fs;

use e2e::Options;
use page_tests::{PageSession, Viewport, readme};

/// First bytes of a PNG.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

#[tokio::test]
async fn readme_screenshot_shows_both_results() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    // Without addresses in its link, the page does not show the settings.
    session.open_as_visitor().await;
    session.click(".example").await;
    session.until_both_results().await;
    session.keep_for_readme("readme").await;
}

#[test]
fn readme_screenshot_is_a_small_png() {
    let png = fs::read(readme::path()).expect("docs/screenshot.png; UPDATE=1 makes it");
    assert!(png.starts_with(SIGNATURE));
    assert!(png.len() <= readme::MAX_BYTES, "{} bytes", png.len());
}
