//! Finding components: every socket in a folder is asked, by gRPC's reflection, what it serves.

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

/// How long a socket may take to say what it serves.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a socket serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file's name without its extension: what comes after the dot in `spec.type`.
    pub name: String,
    /// The socket.
    pub socket: PathBuf,
    /// Those of its services that are known.
    pub services: Vec<Service>,
}

/// One service of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A store of state.
    StateStore,
    /// A store of secrets.
    SecretStore,
    /// A binding that is called.
    OutputBinding,
    /// A binding that calls.
    InputBinding,
}

impl Service {
    fn named(name: &str) -> Option<Self> {
        match name {
            STATE_STORE => Some(Self::StateStore),
            SECRET_STORE => Some(Self::SecretStore),
            OUTPUT_BINDING => Some(Self::OutputBinding),
            INPUT_BINDING => Some(Self::InputBinding),
            _ => None,
        }
    }
}

/// Asks all sockets in `folder`, which may be absent. One that does not answer is told of in the log and left out; Dapr would
/// wait for it for ever.
pub async fn discover(folder: &Path) -> Vec<Found> {
    let asked = sockets(folder).await.into_iter().map(|socket| async move {
        match timeout(PATIENCE, services(&socket)).await {
            Ok(Ok(services)) => found(socket, services),
            Ok(Err(status)) => {
                tracing::warn!(socket = %socket.display(), error = status.message(), "a pluggable component does not say what it serves");
                None
            }
            Err(_) => {
                tracing::warn!(socket = %socket.display(), "a pluggable component does not answer");
                None
            }
        }
    });
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

/// The sockets in `folder`, in the order of their names.
async fn sockets(folder: &Path) -> Vec<PathBuf> {
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return Vec::new() };
    let mut sockets = Vec::new();
    while let Ok(Some(entry)) = entries.next_entry().await {
        match entry.file_type().await {
            Ok(type_) if type_.is_socket() => sockets.push(entry.path()),
            Ok(type_) if type_.is_dir() => {}
            _ => tracing::warn!(file = %entry.path().display(), "no socket, and so no pluggable component"),
        }
    }
    sockets.sort();
    sockets
}

fn found(socket: PathBuf, services: Vec<Service>) -> Option<Found> {
    let name = socket.file_stem()?.to_str()?.to_owned();
    if services.is_empty() {
        tracing::warn!(socket = %socket.display(), "a pluggable component serves nothing that is known");
        return None;
    }
    tracing::info!(component = %name, ?services, "a pluggable component was found");
    Some(Found { name, socket, services })
}

async fn services(socket: &Path) -> Result<Vec<Service>, Status> {
    let question = MessageRequest::ListServices(String::new());
    let question = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(channel(socket));
    let answer = client.server_reflection_info(tokio_stream::once(question)).await?.into_inner().message().await?;
    match answer.and_then(|answer| answer.message_response) {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.iter().filter_map(|service| Service::named(&service.name)).collect())
        }
        Some(MessageResponse::ErrorResponse(error)) => Err(Status::unknown(error.error_message)),
        _ => Err(Status::unknown("no list of services")),
    }
}
