//! `cargo xtask setup`: installs missing tools. A second run finds nothing to do.

mod daprd;
mod debian;
mod wasmedge;
mod wasmtime;

use std::env;
use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;

use crate::build_wasm;
use crate::go;
use crate::repository::{Repository, run};

/// Builds the component written in JavaScript; Node comes with it.
pub(crate) const NPM: &str = "npm";

/// A program that tests run, or need for a build.
pub(crate) struct TestProgram {
    pub(crate) name: &'static str,
    /// Debian package.
    package: &'static str,
    /// Purpose.
    pub(crate) what: &'static str,
}

/// Real servers, a real browser, curl, libjpeg, and Node.
pub(crate) const TEST_PROGRAMS: &[TestProgram] = &[
    TestProgram { name: "redis-server", package: "redis-server", what: "components on a real Redis" },
    TestProgram { name: "nats-server", package: "nats-server", what: "pubsub.jetstream on a real server" },
    TestProgram { name: "rabbitmq-server", package: "rabbitmq-server", what: "pubsub.rabbitmq on a real server" },
    TestProgram { name: "mosquitto", package: "mosquitto", what: "pubsub.mqtt3 on a real server" },
    TestProgram { name: "mariadbd", package: "mariadb-server", what: "bindings.mysql on a real server" },
    TestProgram { name: "chromium", package: "chromium", what: "the page in a real browser" },
    TestProgram { name: "chromedriver", package: "chromium-driver", what: "the page in a real browser" },
    TestProgram { name: "curl", package: "curl", what: "README's quick start" },
    TestProgram { name: "cjpeg", package: "libjpeg-turbo-progs", what: "JPEGs of every kind, as libjpeg reads them" },
    TestProgram { name: NPM, package: "npm", what: "a state store in JavaScript" },
];

/// Linter of the dependencies, in the version that deny.toml was written for.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// Installs missing tools: the Rust target and components, and on request what only tests need
#[derive(Args)]
pub(crate) struct Setup {
    /// Also install the optional programs of tests: Redis, NATS, RabbitMQ, Mosquitto, MariaDB, Chromium, curl, libjpeg's programs, and npm for
    /// a component in JavaScript
    #[arg(long)]
    test_servers: bool,

    /// Also install what `cargo xtask parity` compares daprlet with: Redis, MariaDB, `daprd` and two WasmEdges
    #[arg(long)]
    real: bool,

    /// Also install the program wasmtime, which runs the output of `cargo xtask fuse`
    #[arg(long)]
    wasmtime: bool,

    /// Also install everything that `cargo xtask ci` needs: the real Dapr, the browser, cargo-deny, actionlint and
    /// kustomize
    #[arg(long)]
    ci: bool,
}

impl Setup {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        build_wasm::install_target(repository, build_wasm::TARGET)?;
        build_wasm::install_target(repository, build_wasm::COMPONENT_TARGET)?;
        if !(is_installed("cargo-clippy") && is_installed("cargo-fmt")) {
            run(repository.command("rustup").args(["component", "add", "clippy", "rustfmt"]))?;
        }
        if self.test_servers || self.real || self.ci {
            install_test_programs()?;
        }
        if self.real || self.ci {
            wasmedge::install()?;
            daprd::install(repository)?;
        }
        if self.wasmtime || self.ci {
            wasmtime::install(repository)?;
        }
        if self.ci && !is_installed("cargo-deny") {
            // Unoptimised: this takes a third of the build time, and its checks take seconds all the same.
            run(&mut repository.cargo(&["install", "--locked", "--debug", CARGO_DENY]))?;
        }
        if self.ci {
            go::build_tools(repository)?;
        }
        eprintln!("Everything is installed.");
        Ok(())
    }
}

/// Returns true if a program is on the search path.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are in directories that are only on root's search path.
    env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]).any(|folder| folder.join(program).is_file())
}

fn install_test_programs() -> Result<()> {
    let missing = || TEST_PROGRAMS.iter().filter(|program| !is_installed(program.name));
    let packages: Vec<&str> = missing().map(|program| program.package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    if debian::can_install() {
        return debian::install(&packages);
    }
    bail!(
        "missing: {}. On Debian and Ubuntu: sudo apt-get install {}. Elsewhere install them as your system does",
        missing().map(|program| program.name).collect::<Vec<_>>().join(", "),
        packages.join(" "),
    )
}
