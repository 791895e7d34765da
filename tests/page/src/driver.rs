//! Chromium and its driver.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

/// Flags of Chromium: only the page is shown or fetched.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // The browser talks to its driver through a pipe, so that it ends with the driver.
    "--remote-debugging-pipe",
];

/// Most attempts to start the driver.
///
/// It chooses a free port of one IP version, and exits if that port is taken for the other version.
const MAX_STARTS: usize = 5;

/// Window and colour scheme of the browser.
#[derive(Clone, Copy, Debug)]
pub enum Viewport {
    /// A desktop window.
    Desk,
    /// A desktop window with a preference for dark pages.
    Dark,
    /// A phone, 360 pixels wide, so high that a screenshot has the whole page.
    Phone,
    /// A phone of 390 x 844 pixels.
    Handheld,
}

/// A running `chromedriver`.
pub(crate) struct Driver {
    process: Child,
    port: u16,
    profile: TempDir,
}

impl Driver {
    /// Starts the driver on a port of its choice; `None`, with a message, if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        for _ in 0..MAX_STARTS {
            let (mut process, said) = match launch() {
                Ok(launched) => launched,
                Err(error) => {
                    let words =
                        format!("chromedriver: {error}; `apt-get install chromium chromium-driver` installs it");
                    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{words}");
                    did_not_run(&words);
                    return None;
                }
            };
            match said {
                Ok(port) => return Some(Self { process, port, profile: TempDir::new().expect("a folder") }),
                Err(words) => {
                    process.wait().expect("chromedriver's status");
                    // A closed stderr is ignored.
                    let _ = writeln!(std::io::stderr(), "chromedriver did not start: {words}");
                }
            }
        }
        panic!("chromedriver did not start in {MAX_STARTS} attempts")
    }

    /// Opens a browser.
    pub(crate) async fn open(&self, viewport: Viewport) -> Client {
        let mut flags: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(format!("--user-data-dir={}", self.profile.path().display()));
        // So high that a screenshot has the whole page.
        flags.push("--window-size=1200,1600".to_owned());
        if let Viewport::Dark = viewport {
            flags.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let options = match viewport {
            Viewport::Desk | Viewport::Dark => json!({ "args": flags }),
            Viewport::Phone | Viewport::Handheld => {
                let (width, height) = if matches!(viewport, Viewport::Phone) { (360, 1900) } else { (390, 844) };
                let metrics = json!({ "width": width, "height": height, "pixelRatio": 2, "touch": true });
                json!({ "args": flags, "mobileEmulation": { "deviceMetrics": metrics } })
            }
        };
        let capabilities = serde_json::Map::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        builder.connect(&format!("http://127.0.0.1:{}", self.port)).await.expect("Chromium starts")
    }
}

/// Starts the driver. Returns it, and its port or, if it exited, its output.
fn launch() -> std::io::Result<(Child, Result<u16, String>)> {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn()?;
    let mut said = String::new();
    for line in BufReader::new(process.stdout.take().expect("stdout")).lines().map_while(Result::ok) {
        let port = line.strip_prefix("ChromeDriver was started successfully on port ");
        if let Some(port) = port.and_then(|port| port.trim_end_matches('.').parse().ok()) {
            return Ok((process, Ok(port)));
        }
        said.push_str(&line);
        said.push('\n');
    }
    Ok((process, Err(said)))
}

/// Prints a message to stderr directly, because the test runner hides the output of passing tests.
pub fn did_not_run(why: &str) {
    // A closed stderr is ignored.
    let _ = writeln!(std::io::stderr(), "DID NOT RUN: {why}");
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
