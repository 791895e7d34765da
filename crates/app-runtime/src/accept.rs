//! Taking connections, one task each.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long to wait when no connection can be taken: out of descriptors, most likely, so that others have to end first.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Serves every connection to `what` until `shutdown`.
pub(crate) async fn accept<F, S>(what: &'static str, listener: TcpListener, shutdown: CancellationToken, serve: F)
where
    F: Fn(TcpStream, SocketAddr) -> S,
    S: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        match accepted.and_then(|(stream, peer)| stream.set_nodelay(true).map(|()| (stream, peer))) {
            Ok((stream, peer)) => {
                tokio::spawn(serve(stream, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to {what} was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
