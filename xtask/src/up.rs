//! `cargo xtask up`: from a fresh clone to the whole application, running.

mod answers;
mod features;
mod model;
mod supervise;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::build_wasm::BuildWasm;
use crate::repository::Repository;
use crate::run_template;
use crate::steps::Steps;

/// Where the components of `config/` keep their data.
const DATA: &str = "data";

/// Builds the services and daprlet, and runs them on dapr.yaml with the page, until Ctrl-C.
#[derive(Args)]
#[command(
    after_help = "Data lives in the folder data/ of this repository: state.db has rate limits and events that wait for \
delivery, events.db has the events table. It survives a restart; delete the folder to begin anew.\n\n\
Example, open to the network and with one more flag of daprlet:\n  \
cargo xtask up --listen-address 0.0.0.0 -- --log-format json"
)]
pub(crate) struct Up {
    /// The address that services, Dapr APIs and page listen on.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen_address: IpAddr,

    /// Builds daprlet with all optimisations, which takes longer.
    #[arg(long)]
    release: bool,

    /// Builds daprlet with everything that it can have, and not only with what config/ and dapr.yaml name.
    #[arg(long)]
    full: bool,

    /// Downloads no model: classify answers with what is in models/.
    #[arg(long)]
    no_download: bool,

    /// More flags of `daprlet run`.
    #[arg(last = true, value_name = "FLAGS")]
    daprlet: Vec<String>,
}

impl Up {
    pub(crate) fn run(&self, repository: &Repository) -> Result<ExitCode> {
        let downloads = !self.no_download && model::is_missing(repository);
        let mut steps = Steps::new(2 + usize::from(downloads));
        if downloads {
            steps.begin("Getting a model that knows a thousand things (once)");
            model::download(repository)?;
        }
        steps.begin("Building daprlet, and the services for WebAssembly (the first time takes minutes)");
        self.build(repository)?;

        steps.begin("Starting (the first time compiles the services for this machine)");
        fs::create_dir_all(repository.path(DATA)).with_context(|| format!("cannot make the folder {DATA}/"))?;
        let profile = if self.release { "release" } else { "debug" };
        let program = repository.workspace()?.target_directory.join(profile).join("daprlet");
        let mut daprlet = repository.command(program);
        daprlet.args(["run", "-f", run_template::FILE, "--page", "docs"]);
        daprlet.arg("--listen-address").arg(self.listen_address.to_string()).args(&self.daprlet);

        let ports = run_template::read(repository)?.iter().map(|app| app.app_port).collect();
        let address = self.listen_address;
        supervise::run(&mut daprlet, move || answers::announce(address, ports))
    }

    /// Builds the services and daprlet at the same time: while one waits for a large crate, the other uses the rest of the
    /// machine.
    fn build(&self, repository: &Repository) -> Result<()> {
        let mut cargo = repository.cargo(&["build", "--locked", "--package", "daprlet"]);
        if self.release {
            cargo.arg("--release");
        }
        if !self.full {
            cargo.args(["--no-default-features", "--features", &features::of_config(repository)?]);
        }
        let mut daprlet = cargo.spawn().context("cannot start cargo")?;
        let services = BuildWasm::default().run(repository);
        if services.is_err() {
            // What has been compiled so far is kept; it may have ended by itself, too.
            let _ = daprlet.kill();
        }
        let status = daprlet.wait().context("cannot wait for cargo")?;
        services?;
        ensure!(status.success(), "daprlet cannot be built ({status})");
        Ok(())
    }
}
