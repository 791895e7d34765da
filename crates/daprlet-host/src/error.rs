//! Errors that keep the host from starting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use dapr_runtime::ResourceError;
use guest_wasmedge::GuestError;

use crate::app_spec::Command;

/// An error that keeps the host from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A port is in use.
    #[error("app {app}: {what} cannot listen on {address}: {source}{}", held_by(*.address, .source))]
    Port {
        /// App id.
        app: String,
        /// Listener that needs the port.
        what: &'static str,
        /// Address of the listener.
        address: SocketAddr,
        /// Error of the system.
        source: io::Error,
    },
    /// A module cannot be read.
    #[error("app {app}: {}: {source}{}", .path.display(), built_by(.path, .source))]
    Module {
        /// App id.
        app: String,
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// A module cannot run.
    #[error("app {app}: {}: {}", .path.display(), .source.report())]
    Guest {
        /// App id.
        app: String,
        /// Path of the file.
        path: PathBuf,
        /// Error of the guest.
        source: GuestError,
    },
    /// A component app cannot run.
    #[error("app {app}: {}: {reason}", .path.display())]
    ComponentGuest {
        /// App id.
        app: String,
        /// Path of the file.
        path: PathBuf,
        /// Error of the component app.
        reason: String,
    },
    /// This build cannot run such a program.
    #[error("app {app}: {reason}")]
    Unsupported {
        /// App id.
        app: String,
        /// Reason.
        reason: &'static str,
    },
    /// A model that the command line names cannot be loaded.
    #[error("app {app}: {}: {source}", .path.display())]
    Graph {
        /// App id.
        app: String,
        /// Path of the file.
        path: PathBuf,
        /// Error of the model.
        source: inference::GraphError,
    },
    /// A resource is misconfigured.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// An internal task failed.
    #[error("the host's own task failed")]
    Task(#[source] tokio::task::JoinError),
}

/// Names the process that uses the port, if it is in use.
fn held_by(address: SocketAddr, error: &io::Error) -> String {
    let is_taken = error.kind() == io::ErrorKind::AddrInUse;
    let owner = is_taken.then(|| port_owner::port_owner(address.port())).flatten();
    owner.map(|owner| format!("; {owner} has it")).unwrap_or_default()
}

/// Tells how to build a service of this project that is not built yet.
fn built_by(path: &std::path::Path, error: &io::Error) -> &'static str {
    let is_built = path.components().any(|part| part.as_os_str() == "wasm");
    if is_built && error.kind() == io::ErrorKind::NotFound { "; `cargo xtask build-wasm` builds it" } else { "" }
}

impl StartError {
    /// Creates the error of `what`, which cannot listen on `address`.
    pub(crate) fn port(app: &str, what: &'static str, address: SocketAddr, source: io::Error) -> Self {
        Self::Port { app: app.to_owned(), what, address, source }
    }

    /// Creates the error of a program that no runner of this build accepts.
    pub(crate) fn unsupported(app: &str, command: &Command) -> Self {
        let reason = match command {
            Command::WasmEdge(_) => {
                "this daprlet is built without applications that are components (its feature `component-apps`)"
            }
            _ => "this daprlet is built without such applications",
        };
        Self::Unsupported { app: app.to_owned(), reason }
    }

    /// Returns whether the user can fix this in a file that daprlet reads.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Resource(error) => !error.is_retryable(),
            // A missing file is an error of the configuration; an unreadable one may become readable.
            Self::Module { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Guest { .. } | Self::ComponentGuest { .. } | Self::Unsupported { .. } | Self::Graph { .. } => true,
            Self::Port { .. } | Self::Task(_) => false,
        }
    }
}
