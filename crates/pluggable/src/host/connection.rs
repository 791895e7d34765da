//! The way to a component: its socket, and the name of the YAML on every call.

use std::path::Path;
use std::time::Duration;

use building_blocks::{InitError, Properties};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{self, Endpoint, Uri};
use tonic::{Request, Status};
use tower::service_fn;

use crate::contract::{INSTANCE, MetadataRequest};

/// How long a call may take. Dapr waits for ever, and so would everybody who waits for Dapr.
const CALL: Duration = Duration::from_secs(60);

/// Calls to a component, each with the name of the YAML that it is for.
pub(super) type Channel = InterceptedService<transport::Channel, Named>;

/// Puts the name on a call.
#[derive(Clone)]
pub(super) struct Named(MetadataValue<Ascii>);

impl Interceptor for Named {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(INSTANCE, self.0.clone());
        Ok(request)
    }
}

/// A channel that connects with the first call, and again when the connection is lost.
pub(super) fn connect(socket: &Path, name: &str) -> Result<Channel, InitError> {
    let name = name
        .parse()
        .map_err(|_| InitError::misconfigured("its name cannot be sent: it has characters beyond ASCII"))?;
    Ok(InterceptedService::new(channel(socket), Named(name)))
}

/// The bare connection.
pub(super) fn channel(socket: &Path) -> transport::Channel {
    let socket = socket.to_owned();
    // gRPC wants an authority; a socket has none.
    let endpoint = Endpoint::from(Uri::from_static("http://localhost"));
    endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    }))
}

/// A call with the time that it may take.
pub(super) fn limited<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL);
    request
}

/// The properties, secrets among them, as a component is told them.
pub(super) fn metadata(properties: &Properties) -> Option<MetadataRequest> {
    let properties = properties.exposed().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(MetadataRequest { properties })
}
