//! The client of a connection, which every request on it has among its extensions.

use std::net::SocketAddr;

/// The address of a client outside the process. Guests ask their own Dapr within the process, and have none.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);
