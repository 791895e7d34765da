//! Chromium and the program that drives it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

/// What a Chromium of its own is started with: nothing but the page is to be shown or fetched.
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
    // The browser listens to its driver through a pipe, so that it ends with it, however that ends.
    "--remote-debugging-pipe",
];

/// How often the driver is started at most: it takes a free port of one IP version and gives up, rather than take
/// another, where that port of the other version is taken.
const STARTS: usize = 5;

/// How the browser shows pages.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    /// A window on a desk.
    Desk,
    /// The same, where the user likes dark pages.
    Dark,
    /// A phone, 360 pixels wide, so tall that a screenshot has the whole page.
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
    /// Starts it on a port of its own choice; nothing, said loudly, where there is none.
    pub(crate) fn start() -> Option<Self> {
        for _ in 0..STARTS {
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
                    // If standard error is closed there is nobody to tell.
                    let _ = writeln!(std::io::stderr(), "chromedriver did not start: {words}");
                }
            }
        }
        panic!("chromedriver did not start in {STARTS} attempts")
    }

    /// Opens a browser.
    pub(crate) async fn open(&self, look: Look) -> Client {
        let mut flags: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(format!("--user-data-dir={}", self.profile.path().display()));
        // So tall that a screenshot has the whole page.
        flags.push("--window-size=1200,1600".to_owned());
        if let Look::Dark = look {
            flags.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let options = match look {
            Look::Desk | Look::Dark => json!({ "args": flags }),
            Look::Phone | Look::Handheld => {
                let (width, height) = if matches!(look, Look::Phone) { (360, 1900) } else { (390, 844) };
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

/// Starts the program: it, and the port that it says it listens on or all that it said until it ended.
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

/// Says so past the test runner, which shows nothing that a passing test prints.
pub fn did_not_run(why: &str) {
    // If standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "DID NOT RUN: {why}");
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
