//! A complete `daprlet` with the three services, on free ports and in its own directory, for tests and benchmarks.
//!
//! [`Deployment::start`] writes a run template and component YAML that differ from the project's own only in ports and
//! paths, starts the program that was built with the tests, and waits until all services respond.

#![expect(clippy::expect_used, clippy::panic, reason = "a harness fails its test by panicking")]

mod files;
mod http;
mod process;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use files::{Options, Ports, free_ports};
pub use http::{Request, Response, request};
pub use process::{Process, REGISTRY, daprlet, program};

/// A running `daprlet` with the three services.
pub struct Deployment {
    /// Process of `daprlet`.
    pub daprlet: Process,
    /// Ports of the services.
    pub ports: Ports,
    folder: TempDir,
}

impl Deployment {
    /// Starts everything, and waits until all services respond.
    ///
    /// # Panics
    /// If it does not start; the panic shows the output of `daprlet`.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let folder = TempDir::new().expect("a folder");
        Self::start_in(folder, options)
    }

    /// Kills the process with SIGKILL, and starts a new one on the same data.
    #[must_use]
    pub fn restart(self, options: &Options) -> Self {
        let Self { daprlet, folder, .. } = self;
        daprlet.kill();
        Self::start_in(folder, options)
    }

    fn start_in(folder: TempDir, options: &Options) -> Self {
        let ports = Ports::free();
        files::write(folder.path(), &ports, options);
        let mut arguments = vec!["run".to_owned(), "-f".to_owned(), "dapr.yaml".to_owned()];
        arguments.extend_from_slice(&options.arguments);
        let daprlet = daprlet(folder.path(), &arguments);
        let deployment = Self { daprlet, ports, folder };
        for port in deployment.ports.dapr() {
            deployment.daprlet.until(|| {
                (request("GET", &format!("http://127.0.0.1:{port}/v1.0/healthz")).send().status == 204).then_some(())
            });
        }
        deployment
    }

    /// Returns the directory of the run template, `config/` and `data/`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates a request to `path` of the grayscale service.
    #[must_use]
    pub fn grayscale(&self, method: &str, path: &str) -> Request {
        request(method, &format!("http://127.0.0.1:{}{path}", self.ports.grayscale))
    }

    /// Creates a request to `path` of the classify service.
    #[must_use]
    pub fn classify(&self, method: &str, path: &str) -> Request {
        request(method, &format!("http://127.0.0.1:{}{path}", self.ports.classify))
    }

    /// Creates a request to `path` of the events service.
    #[must_use]
    pub fn events(&self, method: &str, path: &str) -> Request {
        request(method, &format!("http://127.0.0.1:{}{path}", self.ports.events))
    }

    /// Creates a request to `path` of the grayscale service's Dapr API.
    #[must_use]
    pub fn dapr(&self, method: &str, path: &str) -> Request {
        request(method, &format!("http://127.0.0.1:{}{path}", self.ports.grayscale_dapr))
    }
}

/// Returns the project checkout that this process runs in, which may differ from the one where it was built.
///
/// # Panics
/// If it runs elsewhere.
#[must_use]
pub fn repository() -> PathBuf {
    let current = std::env::current_dir().expect("a current directory");
    let is_checkout = |directory: &&Path| directory.join("crates").is_dir() && directory.join("Cargo.lock").is_file();
    let found = current.ancestors().find(is_checkout);
    found.unwrap_or_else(|| panic!("{} is in no checkout of the project", current.display())).to_owned()
}

/// Returns the directory of WebAssembly modules that `cargo xtask build-wasm` fills.
fn wasm_folder() -> PathBuf {
    let given = std::env::var_os("WASM_DIR").map(PathBuf::from);
    given.unwrap_or_else(|| repository().join("wasm"))
}

/// Returns the path of a module.
///
/// # Panics
/// If the module does not exist.
#[must_use]
pub fn wasm(name: &str) -> PathBuf {
    let path = wasm_folder().join(name).with_extension("wasm");
    let path = path.canonicalize();
    path.unwrap_or_else(|error| {
        panic!("{name}.wasm: {error}; `cargo xtask build-wasm --fixtures --components --wasi-nn` makes it")
    })
}
