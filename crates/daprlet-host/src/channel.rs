//! The channel to one application: pooled connections.

mod connection;
mod overload;
mod wake_tracker;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dapr_building_blocks::BoxError;
use dapr_runtime::{Body, InvokeError};
use guest_wasmedge::{AcceptQueue, Activity, ConnectionOwner};
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tokio::sync::watch;

use self::connection::Connection;
use crate::component_app::App;
use crate::go_errors;
use crate::replay::Replay;

/// Maximum idle connections; more are closed.
const MAX_IDLE: usize = 64;

/// Busy time up to which an instance counts as about to become idle.
///
/// One that has been busy for longer works on something, and a request had better go elsewhere. Small requests, even
/// many together, take less.
const NEARLY_IDLE: Duration = Duration::from_millis(1);

/// Peer address that a guest sees when the host itself calls.
const HOST_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The address of an application.
#[derive(Clone)]
enum Target {
    Nowhere,
    /// Guests of this process, behind their accept queue.
    Inside(AcceptQueue),
    Tcp(SocketAddr),
    /// A component app of this process, called without a connection.
    Component(Arc<App>),
}

/// A connection, and the instance that owns it.
struct PooledConnection {
    connection: Connection,
    owner: ConnectionOwner,
}

/// A channel to one application. It survives restarts of the application.
pub(crate) struct AppChannel {
    target: watch::Sender<Target>,
    idle: Mutex<Vec<PooledConnection>>,
    host: Option<HeaderValue>,
    /// Longest time until a response begins.
    timeout: Option<Duration>,
}

impl AppChannel {
    pub(crate) fn new(port: Option<u16>) -> Self {
        let host = port.and_then(|port| HeaderValue::try_from(format!("127.0.0.1:{port}")).ok());
        Self { target: watch::Sender::new(Target::Nowhere), idle: Mutex::default(), host, timeout: None }
    }

    /// Sets a limit on the time until a response begins.
    pub(crate) fn with_timeout(self, timeout: Option<Duration>) -> Self {
        Self { timeout, ..self }
    }

    /// Routes requests to guests behind that queue.
    pub(crate) fn set_inside(&self, queue: AcceptQueue) {
        self.target.send_replace(Target::Inside(queue));
    }

    /// Routes requests to a component app.
    pub(crate) fn set_component(&self, app: Arc<App>) {
        self.target.send_replace(Target::Component(app));
    }

    /// Routes requests to a TCP port.
    pub(crate) fn set_tcp(&self, address: SocketAddr) {
        self.target.send_replace(Target::Tcp(address));
    }

    /// Waits until the application accepts connections.
    pub(crate) async fn wait_until_reachable(&self) {
        let mut target = self.target.subscribe();
        loop {
            let now = target.borrow_and_update().clone();
            match now {
                Target::Inside(queue) => return queue.wait_for_listener().await,
                Target::Component(_) => return,
                Target::Tcp(address) => {
                    while TcpStream::connect(address).await.is_err() {
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                    return;
                }
                Target::Nowhere => {
                    // The sender lives as long as this channel, so this returns only for a change.
                    let _ = target.changed().await;
                }
            }
        }
    }

    /// Sends one request and returns the response once its headers are there. Responds with 504 after the timeout.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let Some(timeout) = self.timeout else { return self.send_untimed(request).await };
        tokio::time::timeout(timeout, self.send_untimed(request)).await.unwrap_or_else(|_| Ok(overload::timed_out()))
    }

    async fn send_untimed(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let Some(host) = &self.host else { return Err(InvokeError::NoApplication) };
        request.headers_mut().insert(HOST, host.clone());
        let component = match &*self.target.borrow() {
            Target::Component(app) => Some(app.clone()),
            Target::Nowhere | Target::Inside(_) | Target::Tcp(_) => None,
        };
        if let Some(app) = component {
            return Ok(app.handle(request, Some(HOST_ADDRESS.ip())).await);
        }
        // Cheap to clone; formatted only for an error.
        let asked = (request.method().clone(), request.uri().clone());
        let as_url_error = |error: BoxError| {
            let host = host.to_str().unwrap_or_default();
            go_errors::url_error(&asked.0, format_args!("http://{host}{}", asked.1), &*error)
        };
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
        let mut pooled =
            connected.map_err(|error| as_url_error(go_errors::dial_error(host.to_str().unwrap_or_default(), error)))?;
        let response =
            pooled.connection.send(request).await.map_err(|failed| as_url_error(failed.into_error().into()))?;
        Ok(self.put_back(pooled, response))
    }

    /// Counts the idle connections to the instance with this activity. It may be stopped if it has no others.
    pub(crate) fn idle_connections(&self, activity: &Arc<Activity>) -> usize {
        self.idle().iter().filter(|pooled| pooled.connection.is_ready() && pooled.owner.is(activity)).count()
    }

    async fn connect(&self) -> io::Result<PooledConnection> {
        let target = self.target.borrow().clone();
        match target {
            Target::Nowhere | Target::Component(_) => Err(io::ErrorKind::ConnectionRefused.into()),
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
