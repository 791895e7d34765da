//! A guest's network: its accept queue, its Dapr port in this process, and allowed outside addresses.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use dapr_api_http::DaprHttp;
use dapr_runtime::AllowList;
use guest_wasmedge::{AcceptQueue, Activity, Connecting, IoFuture, Listener, MemoryStream, Network, Stream};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Maximum denials logged for one application; each is logged once.
const MAX_LOGGED_DENIALS: usize = 100;

/// The network of all instances of one guest application.
pub(crate) struct GuestNetwork {
    pub(crate) app: String,
    /// App port and its accept queue.
    pub(crate) queue: Option<(u16, AcceptQueue)>,
    /// Origin of the port's configuration, such as `appPort (dapr.yaml:6)`.
    pub(crate) port_origin: String,
    pub(crate) dapr_port: u16,
    pub(crate) api: Arc<DaprHttp>,
    pub(crate) allow: Arc<AllowList>,
    pub(crate) shutdown: CancellationToken,
    /// Denials logged so far.
    pub(crate) denied: Mutex<BTreeSet<String>>,
}

impl GuestNetwork {
    /// Records a denial; returns whether it is new.
    ///
    /// The number is limited, since guests choose addresses.
    fn is_new_denial(&self, denial: String) -> bool {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.len() < MAX_LOGGED_DENIALS && denied.insert(denial)
    }

    /// Denies listening on a port that is not the application's own: another application may need it.
    fn deny_listening(&self, wanted: u16) -> io::Error {
        if self.is_new_denial(format!("listen on {wanted}")) {
            let (app, origin) = (&self.app, &self.port_origin);
            match &self.queue {
                Some((port, _)) => tracing::warn!(
                    %app,
                    "denied: {app} wanted to listen on {wanted}, which is not its app port {port}: change {origin} to \
                     {wanted}, or pass it the port with `--env APP_PORT={port}`",
                ),
                None => tracing::warn!(
                    %app,
                    "denied: {app} wanted to listen on {wanted} and has no app port: give it one with {origin}",
                ),
            }
        }
        io::ErrorKind::PermissionDenied.into()
    }

    fn deny(&self, what: &str, address: &str) -> io::Error {
        if self.is_new_denial(format!("{what} {address}")) {
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
        match &self.queue {
            Some((port, queue)) if *port == address.port() => Ok(queue.listener(address, activity)),
            _ => Err(self.deny_listening(address.port())),
        }
    }

    fn connect(&self, peer: SocketAddr) -> io::Result<Connecting> {
        if self.is_own_dapr_port(peer) {
            let (ours, theirs) = MemoryStream::pair();
            tokio::spawn(dapr_api_http::serve(self.api.clone(), ours, self.shutdown.clone()));
            let local = SocketAddr::new(peer.ip(), 0);
            return Ok(Connecting::Done(Stream::memory(theirs, local, peer)));
        }
        if !self.allow.allows(peer) {
            return Err(self.deny("connect to", &peer.to_string()));
        }
        Ok(Connecting::Waiting(Box::pin(TcpStream::connect(peer))))
    }

    fn bind_datagram(&self, address: SocketAddr) -> io::Result<()> {
        // Any free port will do; a fixed one may belong to another application. Receiving is limited by sending: a peer
        // that is not allowed gets no response.
        let is_own = self.queue.as_ref().is_some_and(|(port, _)| *port == address.port());
        if is_own || address.port() == 0 || self.allow.allows(address) {
            Ok(())
        } else {
            Err(self.deny("receive datagrams at", &address.to_string()))
        }
    }

    fn send_datagram(&self, peer: SocketAddr) -> io::Result<()> {
        if self.allow.allows(peer) { Ok(()) } else { Err(self.deny("send datagrams to", &peer.to_string())) }
    }

    fn resolve(&self, name: String) -> IoFuture<Vec<IpAddr>> {
        if !self.allow.allows_name(&name) {
            let error = self.deny("look up", &format!("{name}:*"));
            return Box::pin(async move { Err(error) });
        }
        let allow = self.allow.clone();
        Box::pin(async move {
            let found: Vec<IpAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect();
            allow.record_resolved(&name, &found);
            Ok(found)
        })
    }
}
