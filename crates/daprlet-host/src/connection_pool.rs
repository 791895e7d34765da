//! Pooled connections to an application that speaks HTTP/1.1.

mod connection;
mod overload;
mod wake_tracker;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::BoxError;
use dapr_runtime::{AppChannel, Body, InvokeError, Replay, go_errors};
use guest_wasmedge::{AcceptQueue, Activity, ConnectionOwner};
use http::header::HOST;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::net::TcpStream;

use self::connection::Connection;

/// Maximum idle connections; more are closed.
const MAX_IDLE: usize = 64;

/// Busy time up to which an instance counts as about to become idle.
///
/// One that has been busy for longer works on something, and a request had better go elsewhere. Small requests, even
/// many together, take less.
const NEARLY_IDLE: Duration = Duration::from_millis(1);

/// Time between two attempts to reach an application that is not ready.
const READY_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Peer address that a guest sees when the host itself calls.
pub(crate) const HOST_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The address of an application.
enum Target {
    /// Guests of this process, behind their accept queue.
    Inside(AcceptQueue),
    Tcp(SocketAddr),
}

/// A connection, and the instance that owns it.
struct PooledConnection {
    connection: Connection,
    owner: ConnectionOwner,
}

/// Connections to one application.
pub(crate) struct ConnectionPool {
    target: Target,
    idle: Mutex<Vec<PooledConnection>>,
}

impl ConnectionPool {
    /// Connects to guests behind `queue`.
    pub(crate) fn to_guests(queue: AcceptQueue) -> Self {
        Self { target: Target::Inside(queue), idle: Mutex::default() }
    }

    /// Connects to a port of this machine. Without a port it is never used.
    pub(crate) fn to_local_port(port: Option<u16>) -> Self {
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.unwrap_or_default());
        Self { target: Target::Tcp(address), idle: Mutex::default() }
    }

    /// Counts the idle connections to the instance with this activity. It may be stopped if it has no others.
    pub(crate) fn idle_connections(&self, activity: &Arc<Activity>) -> usize {
        self.idle().iter().filter(|pooled| pooled.connection.is_ready() && pooled.owner.is(activity)).count()
    }

    async fn connect(&self) -> io::Result<PooledConnection> {
        match &self.target {
            Target::Inside(queue) => {
                let (stream, owner) = queue.connect(HOST_ADDRESS)?;
                Ok(PooledConnection { connection: Connection::new(stream).await?, owner })
            }
            Target::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(PooledConnection { connection: Connection::new(stream).await?, owner: ConnectionOwner::default() })
            }
        }
    }

    /// Takes an idle connection to an idle instance, or to one that is idle soon.
    ///
    /// Prefers the connection used last, so that few concurrent requests use few connections and instances.
    fn take_idle(&self) -> Option<PooledConnection> {
        let mut idle = self.idle();
        let ready = |max_busy: Duration| {
            idle.iter().rposition(|pooled| pooled.connection.is_ready() && pooled.owner.busy_for() <= max_busy)
        };
        let ready = ready(Duration::ZERO).or_else(|| ready(NEARLY_IDLE));
        let found = ready.map(|index| idle.remove(index));
        if found.is_none() {
            idle.retain(|pooled| !pooled.connection.is_closed());
        }
        found
    }

    /// Returns a connection to the pool at once.
    ///
    /// It becomes ready when the response's body has been read to its end.
    fn put_back(&self, pooled: PooledConnection, response: Response<Incoming>) -> Response<Body> {
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE && !pooled.connection.is_closed() {
            idle.push(pooled);
        }
        drop(idle);
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PooledConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AppChannel for ConnectionPool {
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        // Cheap to clone; formatted only for an error.
        let host = request.headers().get(HOST).cloned();
        let host = || host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let as_url_error =
            |error: BoxError| go_errors::url_error(&method, format_args!("http://{}{uri}", host()), &*error);
        // An idle connection may have been closed by the application; then the request was not sent, and goes over a
        // new one.
        while let Some(mut pooled) = self.take_idle() {
            let again = Replay::new(&request);
            match pooled.connection.send(request).await {
                Ok(response) => return Ok(self.put_back(pooled, response)),
                Err(mut failed) => match failed.take_message().or_else(|| again.map(Replay::into_request)) {
                    Some(unsent) => request = unsent,
                    None => return Err(as_url_error(failed.into_error().into())),
                },
            }
        }
        let connected = self.connect().await;
        if connected.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
            return Ok(overload::response());
        }
        let mut pooled = connected.map_err(|error| as_url_error(go_errors::dial_error(host(), error)))?;
        let response =
            pooled.connection.send(request).await.map_err(|failed| as_url_error(failed.into_error().into()))?;
        Ok(self.put_back(pooled, response))
    }

    async fn ready(&self) {
        match &self.target {
            Target::Inside(queue) => queue.wait_for_listener().await,
            Target::Tcp(address) => {
                while TcpStream::connect(address).await.is_err() {
                    tokio::time::sleep(READY_POLL_INTERVAL).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
