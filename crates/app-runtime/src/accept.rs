//! Accepting connections, one task each.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::lifetime::Lifetime;

/// The delay before accepting again after a failure: out of descriptors, most likely, so that others have to end first.
pub(crate) const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(20);

/// A port, and how long it accepts connections.
pub(crate) struct Port {
    /// The name of the listener, for the log.
    pub(crate) name: &'static str,
    pub(crate) listener: TcpListener,
    /// Accepts new connections while requests are drained, because these may need them.
    pub(crate) while_draining: bool,
}

impl Port {
    /// Serves every connection, each with a token that asks it to finish.
    pub(crate) async fn serve<F, S>(self, lifetime: Lifetime, serve: F)
    where
        F: Fn(TcpStream, SocketAddr, CancellationToken) -> S,
        S: Future<Output = ()> + Send + 'static,
    {
        while let Some((stream, peer)) = lifetime.draining.run_until_cancelled(self.accept()).await {
            lifetime.spawn_under_way(serve(stream, peer, lifetime.draining.clone()));
        }
        if !self.while_draining {
            return;
        }
        while let Some((stream, peer)) = lifetime.stopped.run_until_cancelled(self.accept()).await {
            tokio::spawn(serve(stream, peer, lifetime.stopped.clone()));
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = self.listener.accept().await;
            match accepted.and_then(|(stream, peer)| stream.set_nodelay(true).map(|()| (stream, peer))) {
                Ok(accepted) => return accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection to {} was not accepted", self.name);
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }
}
