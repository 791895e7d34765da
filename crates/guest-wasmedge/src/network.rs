//! Network access of a guest: the host decides on each listener, connection, datagram and name.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::socket::{Listener, Stream};

/// A boxed future of an I/O result, for calls that wait.
pub type IoFuture<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// State of a guest's `connect`.
pub enum Connecting {
    /// Connected already: the peer is in this process.
    Done(Stream),
    /// A connection attempt under way.
    Waiting(IoFuture<TcpStream>),
}

/// A guest's view of the network. Every denial is an `io::Error` of kind `PermissionDenied`.
pub trait Network: Send + Sync + 'static {
    /// Opens a listener for streams on `address`, for the guest with this `activity`.
    ///
    /// # Errors
    /// When the host denies it, or the address is in use.
    fn listen(&self, address: SocketAddr, activity: &Arc<Activity>) -> io::Result<Listener>;

    /// Connects a stream to `peer`.
    ///
    /// # Errors
    /// When the host denies it.
    fn connect(&self, peer: SocketAddr) -> io::Result<Connecting>;

    /// Allows or denies receiving datagrams at `address`.
    ///
    /// # Errors
    /// When the host denies it.
    fn bind_datagram(&self, address: SocketAddr) -> io::Result<()>;

    /// Allows or denies sending a datagram to `peer`.
    ///
    /// # Errors
    /// When the host denies it.
    fn send_datagram(&self, peer: SocketAddr) -> io::Result<()>;

    /// Resolves `name` to addresses.
    fn resolve(&self, name: String) -> IoFuture<Vec<IpAddr>>;
}
