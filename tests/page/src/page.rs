//! Actions and observations of a visitor.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::{PageSession, readme};

/// Timeout for the page; the first classification takes seconds if modules are being compiled.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);

impl PageSession {
    /// Opens the page with a suffix of its address.
    ///
    /// # Panics
    /// If it cannot be opened; like all others here, if the browser fails.
    pub async fn open(&self, after: &str) {
        self.client.goto(&format!("{}/{after}", self.page)).await.expect("the page");
    }

    /// Returns the value of a script expression.
    ///
    /// # Panics
    /// If it throws.
    pub async fn evaluate(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"), vec![]).await
    }

    /// Runs a script with `arguments`.
    ///
    /// # Panics
    /// If it throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Polls until a script expression is true.
    ///
    /// # Panics
    /// On timeout; the panic shows the page's text.
    pub async fn until(&self, expression: &str) {
        let begin = Instant::now();
        while self.evaluate(&format!("Boolean({expression})")).await != json!(true) {
            if begin.elapsed() > PAGE_TIMEOUT {
                panic!("not {expression} for {PAGE_TIMEOUT:?}:\n{}", self.text("body").await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Clicks on an element.
    ///
    /// # Panics
    /// If it does not exist or cannot be clicked.
    pub async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Types into an element, or sets the file of a file input.
    ///
    /// # Panics
    /// If it accepts no keys.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.find(selector).await.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses a key in the focused element.
    ///
    /// # Panics
    /// If no element has the focus.
    pub async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.unwrap_or_else(|error| panic!("{keys:?}: {error}"));
    }

    /// Returns the visible text of an element.
    ///
    /// # Panics
    /// If it does not exist.
    pub async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.expect("text")
    }

    /// Chooses the sample as a file, and waits until it is shown.
    ///
    /// # Panics
    /// If it does not exist.
    pub async fn take_sample(&self) {
        let sample = e2e::repository().join("docs/sample.jpg");
        self.fill("#file", &sample.display().to_string()).await;
        self.until_picture_is_shown("picture").await;
    }

    /// Stores the addresses of the services in the browser, and opens the page without them in its link.
    pub async fn open_as_visitor(&self) {
        self.click("#addresses [type=submit]").await;
        self.until("document.getElementById('settings-note').textContent === 'Saved.'").await;
        self.open("").await;
    }

    /// Waits until an image is shown in gray, with its classes.
    pub async fn until_both_results(&self) {
        self.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
        self.until("document.querySelectorAll('.classes li').length === 5").await;
    }

    /// Waits until an image is loaded and visible.
    pub async fn until_picture_is_shown(&self, id: &str) {
        self.until(&format!("document.querySelector('#{id}:not([hidden])')?.naturalWidth > 0")).await;
    }

    /// Saves a screenshot of the whole page in `target/screenshots` or `SCREENSHOT_DIR`.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub async fn keep(&self, name: &str) {
        let png = self.find("html").await.screenshot().await.expect("a screenshot");
        write_screenshot(name, &png);
    }

    /// Saves a screenshot of the part that is visible without scrolling, like [`Self::keep`].
    ///
    /// # Panics
    /// If the file cannot be written.
    pub async fn keep_view(&self, name: &str) {
        write_screenshot(name, &self.client.screenshot().await.expect("a screenshot"));
    }

    /// Saves a screenshot of the whole page like [`Self::keep`], and with `UPDATE=1` as README's.
    ///
    /// # Panics
    /// If a file cannot be written, or is too large for README.
    pub async fn keep_for_readme(&self, name: &str) {
        let png = self.find("html").await.screenshot().await.expect("a screenshot");
        write_screenshot(name, &png);
        // Encoded in each run, so that a page that does not fit is noticed.
        let small = readme::compress(&png);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(readme::path(), small).expect("README's screenshot is written");
        }
    }

    async fn find(&self, selector: &str) -> fantoccini::elements::Element {
        self.client.find(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }
}

fn write_screenshot(name: &str, png: &[u8]) {
    let folder = std::env::var_os("SCREENSHOT_DIR").map_or_else(screenshots, PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for screenshots");
    std::fs::write(folder.join(name).with_extension("png"), png).expect("a screenshot is written");
}

/// Returns a directory beside the profile's, where the tests were built.
fn screenshots() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    test.ancestors().nth(3).map_or_else(PathBuf::new, Path::to_owned).join("screenshots")
}
