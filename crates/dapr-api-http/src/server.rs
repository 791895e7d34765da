//! Serves HTTP over a byte stream.

mod h2c;
mod header_timeout;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dapr_building_blocks::BoxError;
use dapr_building_blocks::middleware::Peer;
use dapr_runtime::Body;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::DaprHttp;
use crate::framing;
use header_timeout::HeaderTimeoutStream;

/// Timeout for a request's header, as in `dapr/pkg/api/http/server.go`.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the API on `stream` until its peer is done.
///
/// On `shutdown` it finishes the requests under way.
pub async fn serve<S>(api: Arc<DaprHttp>, stream: S, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let respond = move |request| {
        let api = api.clone();
        async move { api.handle(request).await }
    };
    serve_http(stream, shutdown, respond).await;
}

/// Serves the API, as [`serve`] does, on the connection of `peer`, which may be a browser.
///
/// Requests carry the peer as an extension.
pub async fn serve_peer<S>(api: Arc<DaprHttp>, stream: S, peer: SocketAddr, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let respond = move |mut request: Request<Body>| {
        request.extensions_mut().insert(Peer(peer));
        let api = api.clone();
        async move { api.handle(request).await }
    };
    serve_http(stream, shutdown, respond).await;
}

/// The handling of one request.
enum Handling<A, P> {
    Rejected(&'static str),
    Upgrade(Box<Request<Incoming>>, P),
    Request(A),
}

/// Serves HTTP/1.1 and h2c on `stream`, with `respond` as the handler, until its peer is done.
///
/// h2c starts with the connection or by `Upgrade`. On `shutdown` the requests under way are finished.
pub async fn serve_http<S, F, A>(stream: S, shutdown: CancellationToken, respond: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Body>) -> A,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let pending = Arc::new(Mutex::new(None));
    let service = service_fn(|request: Request<Incoming>| {
        let handling = match framing::check(&request) {
            Err(why) => Handling::Rejected(why),
            Ok(()) if h2c::is_requested(&request) => Handling::Upgrade(Box::new(request), pending.clone()),
            Ok(()) => Handling::Request(respond(request.map(|body| body.map_err(Into::into).boxed_unsync()))),
        };
        async move {
            Ok::<_, Infallible>(match handling {
                Handling::Rejected(why) => framing::reject(why),
                Handling::Upgrade(request, pending) => h2c::accept(*request, &pending).await,
                Handling::Request(respond) => respond.await,
            })
        }
    });
    let stream = HeaderTimeoutStream::new(stream, HEADER_READ_TIMEOUT);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(stream.timer()).header_read_timeout(HEADER_READ_TIMEOUT);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), &service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    let upgraded = pending.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ended = match (ended, upgraded) {
        (Ok(()), Some(upgraded)) => serve_upgraded(upgraded, &service, &shutdown).await,
        (ended, _) => ended,
    };
    if let Err(error) = ended {
        // The peer went away, or spoke no HTTP; nothing to do about either.
        tracing::debug!(%error, "connection ended early");
    }
}

/// Serves a connection that has been upgraded to HTTP/2.
async fn serve_upgraded<S>(
    upgraded: h2c::PendingUpgrade,
    service: S,
    shutdown: &CancellationToken,
) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    let stream = tokio::time::timeout(HEADER_READ_TIMEOUT, h2c::resume(upgraded)).await??;
    let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => ended?,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await?;
        }
    }
    Ok(())
}
