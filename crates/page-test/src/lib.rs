//! The page in a real browser, against services that really run.
//!
//! [`Stage::set`] starts both. It needs Chromium and its driver (`apt-get install chromium chromium-driver`); without
//! them a test says so and passes, except where `CI=true`.

#![expect(clippy::expect_used, clippy::panic, reason = "a harness fails its test by panicking")]

mod driver;
mod page;

use e2e::{Options, World};
use fantoccini::Client;

use driver::Driver;
pub use driver::{Look, did_not_run};

/// Running services with their page, and a browser that shows it.
pub struct Stage {
    /// The services.
    pub world: World,
    client: Client,
    page: String,
    _driver: Driver,
}

impl Stage {
    /// Starts the services and the browser, and opens the page with the services' addresses in its link.
    ///
    /// # Panics
    /// When something does not start, and where `CI=true` when there is no browser.
    pub async fn set(look: Look, mut options: Options) -> Option<Self> {
        let driver = Driver::start()?;
        let docs = e2e::repository().join("docs");
        options.arguments.extend(["--page".to_owned(), docs.display().to_string()]);
        options.arguments.extend(["--page-port".to_owned(), "0".to_owned()]);
        let world = World::start(&options);
        let page = world.daprlet.until(|| page_address(&world.daprlet.said()));
        let client = driver.open(look).await;
        let stage = Self { world, client, page, _driver: driver };
        stage.open(&stage.link()).await;
        Some(stage)
    }

    /// What follows the page's address so that it finds the services.
    #[must_use]
    pub fn link(&self) -> String {
        let ports = &self.world.ports;
        let address = |port: u16| format!("http://127.0.0.1:{port}");
        let (grayscale, classify) = (address(ports.grayscale), address(ports.classify));
        format!("?grayscale={grayscale}&classify={classify}&events={}", address(ports.events))
    }
}

/// What daprlet prints once everything listens.
fn page_address(said: &str) -> Option<String> {
    said.lines().find_map(|line| line.trim().strip_prefix("page ").map(|address| address.trim().to_owned()))
}
