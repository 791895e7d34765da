//! A guest's network: its application's door, its Dapr port inside the process, and what it is allowed outside.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use dapr_http::DaprHttp;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use wasmedge_guest::{Activity, Connecting, Door, IoFuture, Listener, MemoryStream, Network, Stream};

use crate::allow::AllowList;

/// The network of one application that runs as a guest: of all its instances.
pub(crate) struct GuestNetwork {
    pub(crate) app: String,
    /// The application's port, and the door behind it.
    pub(crate) door: Option<(u16, Door)>,
    /// Where the port is configured, such as `appPort (dapr.yaml:6)`.
    pub(crate) port_origin: String,
    pub(crate) dapr_port: u16,
    /// The address that all listeners are really bound to.
    pub(crate) listen_address: IpAddr,
    pub(crate) api: Arc<DaprHttp>,
    pub(crate) allow: Arc<AllowList>,
    pub(crate) shutdown: CancellationToken,
    /// Denials that were logged already; each is logged once.
    pub(crate) denied: Mutex<BTreeSet<String>>,
}

impl GuestNetwork {
    fn deny(&self, what: &str, address: &str) -> io::Error {
        let new = self.denied.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{what} {address}"));
        if new {
            tracing::warn!(
                app = %self.app,
                "denied: {} wanted to {what} {address}; to allow it, start with --allow-outbound {address}",
                self.app,
            );
        }
        io::ErrorKind::PermissionDenied.into()
    }

    fn is_own_dapr_port(&self, peer: SocketAddr) -> bool {
        peer.ip().is_loopback() && peer.port() == self.dapr_port
    }
}

impl Network for GuestNetwork {
    fn listen(&self, address: SocketAddr, activity: &Arc<Activity>) -> io::Result<Listener> {
        if let Some((port, door)) = &self.door
            && *port == address.port()
        {
            return Ok(door.listener(address, activity));
        }
        let tcp = std::net::TcpListener::bind((self.listen_address, address.port())).inspect_err(|error| {
            tracing::error!(app = %self.app, port = address.port(), %error, "the guest cannot listen on its port");
        })?;
        tcp.set_nonblocking(true)?;
        let seen = SocketAddr::new(address.ip(), tcp.local_addr()?.port());
        if self.door.is_some() {
            let listens = address.port();
            tracing::warn!(
                app = %self.app,
                "the guest listens on {listens}, not on its app port {port}: change {origin} to {listens}, or pass it the port \
                 with `--env APP_PORT={port}`",
                port = self.door.as_ref().map_or(0, |(port, _)| *port),
                origin = self.port_origin,
            );
        }
        Ok(Listener::new(TcpListener::from_std(tcp)?, seen))
    }

    fn connect(&self, peer: SocketAddr) -> io::Result<Connecting> {
        if self.is_own_dapr_port(peer) {
            let (ours, theirs) = MemoryStream::pair();
            tokio::spawn(dapr_http::serve(self.api.clone(), ours, None, self.shutdown.clone()));
            let local = SocketAddr::new(peer.ip(), 0);
            return Ok(Connecting::Done(Stream::memory(theirs, local, peer)));
        }
        if !self.allow.allows(peer) {
            return Err(self.deny("connect to", &peer.to_string()));
        }
        Ok(Connecting::Waiting(Box::pin(TcpStream::connect(peer))))
    }

    fn bind_datagram(&self, address: SocketAddr) -> io::Result<()> {
        // Receiving is bound by what may be sent: a peer that was not allowed gets no answer.
        if address.ip().is_loopback() || address.port() == 0 || self.allow.allows(address) {
            Ok(())
        } else {
            Err(self.deny("receive datagrams at", &address.to_string()))
        }
    }

    fn send_datagram(&self, peer: SocketAddr) -> io::Result<()> {
        if self.allow.allows(peer) { Ok(()) } else { Err(self.deny("send datagrams to", &peer.to_string())) }
    }

    fn resolve(&self, name: String) -> IoFuture<Vec<IpAddr>> {
        if !self.allow.names(&name) {
            let error = self.deny("look up", &format!("{name}:*"));
            return Box::pin(async move { Err(error) });
        }
        let allow = self.allow.clone();
        Box::pin(async move {
            let found: Vec<IpAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect();
            allow.remember(&name, &found);
            Ok(found)
        })
    }
}
