//! WebAssembly runtimes that run services beside a real `daprd`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::deployment::files;
use crate::request::To;
use crate::topology::Topology;

/// A runtime for services.
#[derive(Clone, Debug)]
pub enum Runtime {
    /// WasmEdge, which runs modules.
    WasmEdge {
        /// Path of `wasmedge`.
        program: PathBuf,
        /// Flags.
        flags: Vec<String>,
        /// Directory with the services compiled ahead of time, `NAME.so`; without it, they are interpreted.
        ahead: Option<PathBuf>,
    },
    /// `wasmtime serve`, which runs components, each composed with `dapr:runtime` over HTTP.
    Wasmtime {
        /// Path of `wasmtime`.
        program: PathBuf,
    },
}

impl Default for Runtime {
    /// `wasmedge` on the path, interpreting.
    fn default() -> Self {
        Self::wasmedge("wasmedge")
    }
}

impl Runtime {
    /// Returns WasmEdge in interpreter mode.
    #[must_use]
    pub fn wasmedge(program: impl Into<PathBuf>) -> Self {
        Self::WasmEdge { program: program.into(), flags: Vec::new(), ahead: None }
    }

    /// Returns the command that starts the service `id`; `folder` is the deployment's directory.
    pub(super) fn command(
        &self,
        folder: &Path,
        id: &'static str,
        topology: &Topology,
        ports: &BTreeMap<To, u16>,
    ) -> anyhow::Result<Command> {
        let (program, flags, file) = match self {
            Self::WasmEdge { program, flags, ahead } => {
                let compiled = ahead.as_ref().map(|folder| folder.join(id).with_extension("so"));
                (program, flags.clone(), compiled.unwrap_or_else(|| e2e::wasm(id)))
            }
            Self::Wasmtime { program } => {
                let address = format!("127.0.0.1:{}", ports.get(&To::App(id)).copied().unwrap_or_default());
                let flags = ["serve", "-Scli", "--addr", &address].map(str::to_owned);
                (program, flags.to_vec(), compose_service(folder, id)?)
            }
        };
        let mut command = Command::new(program);
        command.args(flags).args(files::settings(id, topology, ports)).arg(file);
        Ok(command)
    }
}

/// Composes the service into one file that reaches Dapr over plain HTTP.
fn compose_service(folder: &Path, id: &str) -> anyhow::Result<PathBuf> {
    let file = folder.join(id).with_extension("wasm");
    let mut compose = Command::new(e2e::program());
    compose.arg("compose").arg(e2e::wasm(&format!("components/{id}")));
    compose.arg("--plug").arg(e2e::wasm("components/dapr-over-http")).arg("--output").arg(&file);
    let done = compose.output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(file)
}
