//! Accepts connections, one task each.

mod retry;

use std::future::Future;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::lifetime::Lifetime;

pub(crate) use retry::{AcceptRetry, is_about_one_connection};

/// A listener and its accept policy.
pub(crate) struct Port {
    /// Name of the listener, for the log.
    pub(crate) name: &'static str,
    pub(crate) listener: TcpListener,
    /// True if new connections are accepted while requests are drained, because these may need them.
    pub(crate) while_draining: bool,
}

impl Port {
    /// Serves every connection, each with a token that asks it to finish.
    pub(crate) async fn serve<F, S>(self, lifetime: Lifetime, serve: F)
    where
        F: Fn(TcpStream, SocketAddr, CancellationToken) -> S,
        S: Future<Output = ()> + Send + 'static,
    {
        let mut retry = AcceptRetry::default();
        while let Some((stream, peer)) = lifetime.draining.run_until_cancelled(self.accept(&mut retry)).await {
            lifetime.spawn_under_way(serve(stream, peer, lifetime.draining.clone()));
        }
        if !self.while_draining {
            return;
        }
        while let Some((stream, peer)) = lifetime.stopped.run_until_cancelled(self.accept(&mut retry)).await {
            tokio::spawn(serve(stream, peer, lifetime.stopped.clone()));
        }
    }

    async fn accept(&self, retry: &mut AcceptRetry) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = self.listener.accept().await;
            match accepted.and_then(|(stream, peer)| stream.set_nodelay(true).map(|()| (stream, peer))) {
                Ok(accepted) => {
                    retry.succeeded(self.name);
                    return accepted;
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => tokio::time::sleep(retry.failed(self.name, &error)).await,
            }
        }
    }
}
