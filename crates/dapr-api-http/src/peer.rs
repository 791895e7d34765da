//! The client of a connection, an extension of every request on it.

use std::net::SocketAddr;

/// Address of a client outside the process.
///
/// Guests call their own Dapr within the process, and have none.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);
