//! What a visitor does and sees.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::Stage;

/// The longest wait for the page; classifying for the first time takes seconds where modules are compiled meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

impl Stage {
    /// Opens the page with something after its address.
    ///
    /// # Panics
    /// When it cannot be opened, as all of these do when the browser fails.
    pub async fn open(&self, after: &str) {
        self.client.goto(&format!("{}/{after}", self.page)).await.expect("the page");
    }

    /// What a script's expression gives.
    ///
    /// # Panics
    /// When it throws.
    pub async fn evaluate(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"), vec![]).await
    }

    /// Runs a script, which finds what is passed to it in `arguments`.
    ///
    /// # Panics
    /// When it throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Polls until a script's expression is true.
    ///
    /// # Panics
    /// When that takes too long; the panic shows the page's text.
    pub async fn until(&self, expression: &str) {
        let begin = Instant::now();
        while self.evaluate(&format!("Boolean({expression})")).await != json!(true) {
            if begin.elapsed() > PATIENCE {
                panic!("not {expression} for {PATIENCE:?}:\n{}", self.text("body").await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Clicks on something.
    ///
    /// # Panics
    /// When it is not there or cannot be clicked.
    pub async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Types into something, or puts a file into a field for files.
    ///
    /// # Panics
    /// When it takes no keys.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.find(selector).await.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses a key, wherever the focus is.
    ///
    /// # Panics
    /// When nothing takes it.
    pub async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.unwrap_or_else(|error| panic!("{keys:?}: {error}"));
    }

    /// The text of something as it is shown.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.expect("text")
    }

    /// Chooses the sample as a file, and waits until it is shown.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn take_sample(&self) {
        let sample = e2e::repository().join("docs/sample.jpg");
        self.fill("#file", &sample.display().to_string()).await;
        self.until_picture_is_shown("picture").await;
    }

    /// Keeps the addresses of the services in the browser, and opens the page as a visitor does, without them in its link.
    pub async fn open_as_visitor(&self) {
        self.click("#addresses [type=submit]").await;
        self.until("document.getElementById('settings-note').textContent === 'Saved.'").await;
        self.open("").await;
    }

    /// Waits until a picture is shown in gray, and its classes beside it.
    pub async fn until_both_results(&self) {
        self.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
        self.until("document.querySelectorAll('.classes li').length === 5").await;
    }

    /// Waits until an image has been loaded and is to be seen.
    pub async fn until_picture_is_shown(&self, id: &str) {
        self.until(&format!("document.querySelector('#{id}:not([hidden])')?.naturalWidth > 0")).await;
    }

    /// Keeps what the whole page looks like, in `target/screenshots` or `SCREENSHOT_DIR`.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub async fn keep(&self, name: &str) {
        let png = self.find("html").await.screenshot().await.expect("a screenshot");
        write_screenshot(name, &png);
    }

    /// Keeps what a visitor sees of the page without scrolling, as [`Self::keep`] does.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub async fn keep_view(&self, name: &str) {
        write_screenshot(name, &self.client.screenshot().await.expect("a screenshot"));
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

/// Beside the profile's folder that the tests were built into.
fn screenshots() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    test.ancestors().nth(3).map_or_else(PathBuf::new, Path::to_owned).join("screenshots")
}
