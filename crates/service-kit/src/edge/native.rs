//! The native server (hyper 1 on tokio), for tests and debuggers.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{from_fn, map_request};
use tokio::net::TcpListener;

use crate::{Peer, framing};

/// Serves requests to an address until the program ends.
///
/// # Errors
/// If the address cannot be bound.
pub async fn listen(router: Router, address: SocketAddr) -> io::Result<()> {
    serve(router, TcpListener::bind(address).await?).await
}

/// Serves requests until the runtime ends.
///
/// # Errors
/// Never: a failed connection affects no other.
pub async fn serve(router: Router, listener: TcpListener) -> io::Result<()> {
    let router = router.layer(map_request(add_peer)).layer(from_fn(framing::enforce));
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
}

async fn add_peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(Peer(address.ip()));
    request
}
