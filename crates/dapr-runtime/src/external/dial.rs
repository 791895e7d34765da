//! Connects to outside servers, as far as the application may.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dapr_building_blocks::BoxError;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::AllowList;
use crate::go_errors;

/// Timeout of a connect, as in `dapr/pkg/runtime/channels/channels.go`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Connects by TCP to the host of a URL.
#[derive(Clone)]
pub(super) struct Dial(Arc<AllowList>);

impl Dial {
    /// Creates a connector limited to what `allow` lets through.
    pub(super) const fn new(allow: Arc<AllowList>) -> Self {
        Self(allow)
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let allow = self.0.clone();
        Box::pin(async move {
            let address = address(&url, &allow).await?;
            let connecting = TcpStream::connect(address);
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting);
            let stream = connected.await.map_err(|_| format!("{address} did not answer in {CONNECT_TIMEOUT:?}"))?;
            let stream = stream.map_err(|error| go_errors::dial_error(address, error))?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// Resolves the host of `url`. Names are looked up only if a rule names them.
async fn address(url: &Uri, allow: &AllowList) -> Result<SocketAddr, BoxError> {
    let host = url.host().ok_or("the URL names no host")?.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("https") { 443 } else { 80 });
    let found: Vec<SocketAddr> = match host.parse() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) if allow.allows_name(host) => {
            let found: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
            allow.record_resolved(host, &found.iter().map(SocketAddr::ip).collect::<Vec<_>>());
            found
        }
        Err(_) => Vec::new(),
    };
    let allowed = found.into_iter().find(|address| allow.allows(*address));
    allowed.ok_or_else(|| format!("{host}:{port} is not allowed; start with --allow-outbound {host}:{port}").into())
}
