//! The page in a real browser, with running services.
//!
//! [`PageSession::start`] starts both. It needs Chromium and its driver (`apt-get install chromium chromium-driver`); without
//! them a test prints a message and passes, except with `CI=true`.

#![expect(clippy::expect_used, clippy::panic, reason = "a harness fails its test by panicking")]

mod driver;
mod page;
pub mod readme;

use e2e::{Deployment, Options};
use fantoccini::Client;

use driver::Driver;
pub use driver::{Viewport, did_not_run};

/// Running services with their page, and a browser that shows it.
pub struct PageSession {
    /// The services.
    pub deployment: Deployment,
    client: Client,
    page: String,
    _driver: Driver,
}

impl PageSession {
    /// Starts the services and the browser, and opens the page with the services' addresses in its link.
    ///
    /// # Panics
    /// If something does not start, or with `CI=true` if there is no browser.
    pub async fn start(viewport: Viewport, mut options: Options) -> Option<Self> {
        let driver = Driver::start()?;
        let docs = e2e::repository().join("docs");
        options.arguments.extend(["--page".to_owned(), docs.display().to_string()]);
        options.arguments.extend(["--page-port".to_owned(), "0".to_owned()]);
        // The browser needs both cores for a moment; the default deadlines are for a service that has some of them.
        options.settings.extend(["EVENT_DEADLINE_MS=10000", "STATE_DEADLINE_MS=10000"].map(str::to_owned));
        let deployment = Deployment::start(&options);
        let page = deployment.daprlet.until(|| page_address(&deployment.daprlet.said()));
        let client = driver.open(viewport).await;
        let session = Self { deployment, client, page, _driver: driver };
        session.open(&session.link()).await;
        Some(session)
    }

    /// Returns the query of the page's address with the addresses of the services.
    #[must_use]
    pub fn link(&self) -> String {
        let ports = &self.deployment.ports;
        let address = |port: u16| format!("http://127.0.0.1:{port}");
        let (grayscale, classify) = (address(ports.grayscale), address(ports.classify));
        format!("?grayscale={grayscale}&classify={classify}&events={}", address(ports.events))
    }
}

/// Finds the page's address in daprlet's output after startup.
fn page_address(said: &str) -> Option<String> {
    said.lines().find_map(|line| line.trim().strip_prefix("page ").map(|address| address.trim().to_owned()))
}
