//! `cargo xtask up`: builds and runs the whole application from a fresh clone.

mod features;
mod model;
mod ports;
mod readiness;
mod supervise;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::build_wasm::BuildWasm;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::run_template;
use crate::steps::Steps;

/// Directory where the components of `config/` keep their data.
const DATA: &str = "data";

/// daprlet's default for `--page-port`.
const PAGE_PORT: u16 = 8080;

/// Builds the services and daprlet, and runs them on dapr.yaml with the page, until Ctrl-C
#[derive(Args)]
#[command(
    after_help = "Data is in the directory data/ of this repository: state.db has rate limits and events that wait for \
delivery, events.db has the events table. It survives a restart; delete the directory to start over.\n\n\
Example, open to the network and with one more flag of daprlet:\n  \
cargo xtask up --listen-address 0.0.0.0 -- --log-format json"
)]
pub(crate) struct Up {
    /// Address for services, Dapr APIs and page
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen_address: IpAddr,

    /// Build daprlet with all optimisations, which takes longer
    #[arg(long)]
    release: bool,

    /// Build daprlet with all features, not only those that config/ and dapr.yaml need
    #[arg(long)]
    full: bool,

    /// Download no model: classify uses those in models/
    #[arg(long)]
    no_download: bool,

    /// Additional flags of `daprlet run`
    #[arg(last = true, value_name = "FLAGS")]
    daprlet: Vec<String>,
}

impl Up {
    pub(crate) fn run(&self, repository: &Repository) -> Result<ExitCode> {
        let downloads = !self.no_download && model::is_missing(repository);
        let apps = run_template::read(repository)?;
        let page_port = self.page_port();
        ports::check(self.listen_address, &apps, page_port)?;
        let mut steps = Steps::new(2 + usize::from(downloads));
        if downloads {
            steps.begin("Downloading a model with a thousand classes (once)");
            model::download(repository)?;
        }
        steps.begin("Building daprlet, and the services for WebAssembly (the first time takes minutes)");
        self.build(repository)?;

        steps.begin("Starting (the first time compiles the services for this machine)");
        fs::create_dir_all(repository.path(DATA)).with_context(|| format!("cannot create the directory {DATA}/"))?;
        let profile = if self.release { "release" } else { "debug" };
        let program = repository.workspace()?.target_directory.join(profile).join("daprlet");
        let mut daprlet = repository.command(program);
        daprlet.args(["run", "-f", run_template::FILE, "--page", "docs"]);
        daprlet.arg("--listen-address").arg(self.listen_address.to_string()).args(&self.daprlet);

        let address = self.listen_address;
        supervise::run(&mut daprlet, move || readiness::announce(address, &apps, page_port))
    }

    /// Returns the port of the page: daprlet's default, unless its flags set another.
    fn page_port(&self) -> u16 {
        let mut flags = self.daprlet.iter();
        let given = flags.find_map(|flag| match flag.strip_prefix("--page-port") {
            Some("") => Some(None),
            Some(value) => Some(value.strip_prefix('=')),
            None => None,
        });
        let value = given.and_then(|value| value.or_else(|| flags.next().map(String::as_str)));
        value.and_then(|value| value.parse().ok()).unwrap_or(PAGE_PORT)
    }

    /// Builds the services and daprlet in parallel: while one waits for a large crate, the other uses the rest of the
    /// machine.
    fn build(&self, repository: &Repository) -> Result<()> {
        let mut cargo = repository.cargo(&["build", "--locked", "--package", "daprlet"]);
        if self.release {
            cargo.arg("--release");
        }
        if !self.full {
            cargo.args(["--no-default-features", "--features", &features::for_config(repository)?]);
        }
        let progress = Progress::new();
        let mut daprlet = progress.spawn("daprlet", &mut cargo)?;
        let services = BuildWasm::default().run_with_progress(repository, &progress);
        if services.is_err() {
            // Compiled crates are kept.
            daprlet.kill();
        }
        let status = daprlet.wait()?;
        services?;
        ensure!(status.success(), "daprlet cannot be built ({status})");
        Ok(())
    }
}
