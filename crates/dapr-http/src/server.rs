//! Speaking HTTP over a byte stream.

mod h2c;
mod heads;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use building_blocks::BoxError;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use sidecar::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::DaprHttp;
use crate::framing;
use crate::peer::Peer;
use heads::Counted;

/// How long a client may take over the head of a request, as in `dapr/pkg/api/http/server.go`.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// Serves the API on `stream` until its peer is done; on `shutdown`, until the requests under way are answered.
pub async fn serve<S>(api: Arc<DaprHttp>, stream: S, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = move |request| {
        let api = api.clone();
        async move { api.handle(request).await }
    };
    speak(stream, shutdown, answer).await;
}

/// Serves the API, as [`serve`] does, on the connection of `peer`, which may be a browser. Requests carry it as an extension.
pub async fn serve_peer<S>(api: Arc<DaprHttp>, stream: S, peer: SocketAddr, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = move |mut request: Request<Body>| {
        request.extensions_mut().insert(Peer(peer));
        let api = api.clone();
        async move { api.handle(request).await }
    };
    speak(stream, shutdown, answer).await;
}

/// The way in which one request is answered.
enum Answer<A, P> {
    Refused(&'static str),
    Upgrade(Box<Request<Incoming>>, P),
    Request(A),
}

/// Speaks HTTP/1.1 and h2c on `stream`, the latter from its beginning or by `Upgrade`, with an `answer` to each request, until its peer is done; on `shutdown`, until the
/// requests under way are answered.
pub async fn speak<S, F, A>(stream: S, shutdown: CancellationToken, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Body>) -> A,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let pending = Arc::new(Mutex::new(None));
    let service = service_fn(|request: Request<Incoming>| {
        let answer = match framing::check(&request) {
            Err(why) => Answer::Refused(why),
            Ok(()) if h2c::is_wanted(&request) => Answer::Upgrade(Box::new(request), pending.clone()),
            Ok(()) => Answer::Request(answer(request.map(|body| body.map_err(Into::into).boxed_unsync()))),
        };
        async move {
            Ok::<_, Infallible>(match answer {
                Answer::Refused(why) => framing::refuse(why),
                Answer::Upgrade(request, pending) => h2c::accept(*request, &pending).await,
                Answer::Request(answer) => answer.await,
            })
        }
    });
    let stream = Counted::new(stream, HEAD_PATIENCE);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(stream.clock()).header_read_timeout(HEAD_PATIENCE);
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
        (Ok(()), Some(upgraded)) => go_on(upgraded, &service, &shutdown).await,
        (ended, _) => ended,
    };
    if let Err(error) = ended {
        // The peer went away, or spoke no HTTP; neither is ours to mend.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Serves a connection that is HTTP/2 by now.
async fn go_on<S>(upgraded: h2c::Pending, service: S, shutdown: &CancellationToken) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    let stream = tokio::time::timeout(HEAD_PATIENCE, h2c::resume(upgraded)).await??;
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
