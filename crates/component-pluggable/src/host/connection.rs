//! Connection to a component over its socket, with the YAML's name on every call.

use std::path::Path;
use std::time::Duration;

use dapr_building_blocks::{InitError, Properties};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{self, Endpoint, Uri};
use tonic::{Request, Status};
use tower::service_fn;

use crate::contract::{INSTANCE_HEADER, MetadataRequest};

/// Timeout of a call. Dapr waits forever, and so would all of its callers.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Channel to a component that adds the name of the YAML to each call.
pub(super) type Channel = InterceptedService<transport::Channel, InstanceInterceptor>;

/// Interceptor that adds the name of the YAML to a call.
#[derive(Clone)]
pub(super) struct InstanceInterceptor(MetadataValue<Ascii>);

impl Interceptor for InstanceInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(INSTANCE_HEADER, self.0.clone());
        Ok(request)
    }
}

/// Creates a channel that connects on the first call, and reconnects when the connection is lost.
pub(super) fn connect(socket: &Path, name: &str) -> Result<Channel, InitError> {
    let name = name
        .parse()
        .map_err(|_| InitError::misconfigured("its name has non-ASCII characters, which cannot be sent"))?;
    Ok(InterceptedService::new(channel(socket), InstanceInterceptor(name)))
}

/// Creates the channel itself, without the YAML's name.
pub(super) fn channel(socket: &Path) -> transport::Channel {
    let socket = socket.to_owned();
    // gRPC requires an authority, which a socket does not have.
    let endpoint = Endpoint::from(Uri::from_static("http://localhost"));
    endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    }))
}

/// Creates a request with the call timeout.
pub(super) fn with_timeout<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}

/// Converts the properties, including secrets, to a component's metadata.
pub(super) fn metadata(properties: &Properties) -> Option<MetadataRequest> {
    let properties = properties.exposed().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(MetadataRequest { properties })
}
