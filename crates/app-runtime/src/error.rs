//! Why the host does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use building_blocks::component::CreateError;
use wasmedge_guest::GuestError;

use crate::component_app::ComponentError;

/// Why the host does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Somebody else has the port.
    #[error("app {app}: {what} cannot listen on {address}: {source}{}", held_by(*.address, .source))]
    Port {
        /// The application.
        app: String,
        /// What wanted the port.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A module cannot be read.
    #[error("app {app}: {}: {source}{}", .path.display(), built_by(.path, .source))]
    Module {
        /// The application.
        app: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A module cannot be run.
    #[error("app {app}: {}: {}", .path.display(), .source.report())]
    Guest {
        /// The application.
        app: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: GuestError,
    },
    /// The component that an application is cannot be run.
    #[error("app {app}: {}: {}", .path.display(), .source.report())]
    ComponentGuest {
        /// The application.
        app: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ComponentError,
    },
    /// A network that the command line names cannot be loaded.
    #[error("app {app}: {}: {source}", .path.display())]
    Graph {
        /// The application.
        app: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: inference::GraphError,
    },
    /// A component cannot be made.
    #[error("app {app}: {origin}: {source}")]
    Component {
        /// The application.
        app: String,
        /// Where its YAML is.
        origin: String,
        /// Why not.
        source: Box<CreateError>,
    },
    /// A resource's reference leads nowhere, or what it says cannot be.
    #[error("app {app}: {origin}: {what}: {why}")]
    Reference {
        /// The application.
        app: String,
        /// Where its YAML is.
        origin: String,
        /// Which resource it is.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// Something that should have ended well did not.
    #[error("the host's own task failed")]
    Task(#[source] tokio::task::JoinError),
}

/// Names the process that has a taken port.
fn held_by(address: SocketAddr, error: &io::Error) -> String {
    let is_taken = error.kind() == io::ErrorKind::AddrInUse;
    let owner = is_taken.then(|| port_owner::port_owner(address.port())).flatten();
    owner.map(|owner| format!("; {owner} has it")).unwrap_or_default()
}

/// Says how a service of this project that is not built yet is built.
fn built_by(path: &std::path::Path, error: &io::Error) -> &'static str {
    let is_built = path.components().any(|part| part.as_os_str() == "wasm");
    if is_built && error.kind() == io::ErrorKind::NotFound { "; `cargo xtask build-wasm` builds it" } else { "" }
}

impl StartError {
    /// Whether the user can mend this in a file that daprlet reads.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Component { source, .. } => !source.is_retryable(),
            // A name that leads nowhere; what cannot be read now may be readable later.
            Self::Module { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Guest { .. } | Self::ComponentGuest { .. } | Self::Graph { .. } | Self::Reference { .. } => true,
            Self::Port { .. } | Self::Task(_) => false,
        }
    }
}
