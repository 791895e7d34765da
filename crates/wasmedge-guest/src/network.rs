//! What a guest may reach: the host decides, for each listener, connection, datagram and name.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::socket::{Listener, Stream};

/// A boxed future of an I/O result, for the calls that wait.
pub type IoFuture<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// How a guest's `connect` goes on.
pub enum Connecting {
    /// Connected already: the peer is in this process.
    Done(Stream),
    /// A connection attempt under way.
    Waiting(IoFuture<TcpStream>),
}

/// A guest's view of the network. Every denial is an `io::Error` of kind `PermissionDenied`.
pub trait Network: Send + Sync + 'static {
    /// The guest that `activity` tells of wants to listen for streams on `address`.
    ///
    /// # Errors
    /// When that is denied, or the address is taken.
    fn listen(&self, address: SocketAddr, activity: &Arc<Activity>) -> io::Result<Listener>;

    /// The guest wants a stream to `peer`.
    ///
    /// # Errors
    /// When that is denied.
    fn connect(&self, peer: SocketAddr) -> io::Result<Connecting>;

    /// The guest wants to receive datagrams at `address`.
    ///
    /// # Errors
    /// When that is denied.
    fn bind_datagram(&self, address: SocketAddr) -> io::Result<()>;

    /// The guest wants to send a datagram to `peer`.
    ///
    /// # Errors
    /// When that is denied.
    fn send_datagram(&self, peer: SocketAddr) -> io::Result<()>;

    /// The guest wants the addresses of `name`.
    fn resolve(&self, name: String) -> IoFuture<Vec<IpAddr>>;
}
