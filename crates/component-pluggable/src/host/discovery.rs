//! Discovery of components: lists the services of every socket in a directory with gRPC reflection.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;
use tonic::Status;
use tonic_reflection::pb::v1alpha::ServerReflectionRequest;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

use super::connection::channel;
use crate::contract::input_binding_server::SERVICE_NAME as INPUT_BINDING;
use crate::contract::output_binding_server::SERVICE_NAME as OUTPUT_BINDING;
use crate::contract::secret_store_server::SERVICE_NAME as SECRET_STORE;
use crate::contract::state_store_server::SERVICE_NAME as STATE_STORE;

/// Timeout of listing a socket's services.
const REFLECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Socket with the services that it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredSocket {
    /// File name without extension: the part of `spec.type` after the dot.
    pub name: String,
    /// Path of the socket.
    pub socket: PathBuf,
    /// Known services of the socket.
    pub services: Vec<Service>,
}

/// Service of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// State store.
    StateStore,
    /// Secret store.
    SecretStore,
    /// Output binding, which is invoked.
    OutputBinding,
    /// Input binding, which sends events.
    InputBinding,
}

impl Service {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            STATE_STORE => Some(Self::StateStore),
            SECRET_STORE => Some(Self::SecretStore),
            OUTPUT_BINDING => Some(Self::OutputBinding),
            INPUT_BINDING => Some(Self::InputBinding),
            _ => None,
        }
    }
}

/// Lists the services of all sockets in `folder`, which may be absent.
///
/// A socket that does not respond is logged and skipped; Dapr would wait for it forever.
pub async fn discover(folder: &Path) -> Vec<DiscoveredSocket> {
    let lookups = sockets(folder).await.into_iter().map(|socket| async move {
        match timeout(REFLECTION_TIMEOUT, services(&socket)).await {
            Ok(Ok(services)) => found(socket, services),
            Ok(Err(status)) => {
                tracing::warn!(socket = %socket.display(), error = status.message(), "cannot list the services of a pluggable component");
                None
            }
            Err(_) => {
                tracing::warn!(socket = %socket.display(), "pluggable component does not respond");
                None
            }
        }
    });
    futures_util::future::join_all(lookups).await.into_iter().flatten().collect()
}

/// Returns the sockets in `folder`, sorted by name.
async fn sockets(folder: &Path) -> Vec<PathBuf> {
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return Vec::new() };
    let mut sockets = Vec::new();
    while let Ok(Some(entry)) = entries.next_entry().await {
        match entry.file_type().await {
            Ok(type_) if type_.is_socket() => sockets.push(entry.path()),
            Ok(type_) if type_.is_dir() => {}
            _ => tracing::warn!(file = %entry.path().display(), "file skipped: not a socket of a pluggable component"),
        }
    }
    sockets.sort();
    sockets
}

fn found(socket: PathBuf, services: Vec<Service>) -> Option<DiscoveredSocket> {
    let name = socket.file_stem()?.to_str()?.to_owned();
    if services.is_empty() {
        tracing::warn!(socket = %socket.display(), "pluggable component serves no known service");
        return None;
    }
    tracing::info!(component = %name, ?services, "pluggable component found");
    Some(DiscoveredSocket { name, socket, services })
}

async fn services(socket: &Path) -> Result<Vec<Service>, Status> {
    let request = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
    let mut client = ServerReflectionClient::new(channel(socket));
    let response = client.server_reflection_info(tokio_stream::once(request)).await?.into_inner().message().await?;
    match response.and_then(|response| response.message_response) {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.iter().filter_map(|service| Service::from_name(&service.name)).collect())
        }
        Some(MessageResponse::ErrorResponse(error)) => Err(Status::unknown(error.error_message)),
        _ => Err(Status::unknown("no list of services")),
    }
}
