//! The way to one application: connections that are kept and used again.

mod connection;
mod overload;
mod wakes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use building_blocks::BoxError;
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sidecar::{Body, InvokeError};
use tokio::net::TcpStream;
use tokio::sync::watch;
use wasmedge_guest::{Door, Holder};

use self::connection::Connection;
use crate::component_app::App;
use crate::failure;
use crate::replay::Replay;

/// Connections that wait for their next request; more are closed.
const MAX_IDLE: usize = 64;

/// An instance that has computed for longer is at work on something, and a request had better go to another one. Small
/// requests, even many together, take less.
const BRIEF: Duration = Duration::from_millis(1);

/// The caller that a guest sees when the host itself calls.
const INSIDE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How an application is reached.
#[derive(Clone)]
enum Way {
    Nowhere,
    /// Guests of this process, behind their door.
    Inside(Door),
    Tcp(SocketAddr),
    /// A component of this process, which is called without a connection.
    Component(Arc<App>),
}

/// A connection, and which guest has it.
struct Kept {
    connection: Connection,
    holder: Holder,
}

/// The way to one application. It survives restarts of the application.
pub(crate) struct AppChannel {
    way: watch::Sender<Way>,
    idle: Mutex<Vec<Kept>>,
    host: Option<HeaderValue>,
    /// The longest time until a response begins.
    timeout: Option<Duration>,
}

impl AppChannel {
    pub(crate) fn new(port: Option<u16>) -> Self {
        let host = port.and_then(|port| HeaderValue::try_from(format!("127.0.0.1:{port}")).ok());
        Self { way: watch::Sender::new(Way::Nowhere), idle: Mutex::default(), host, timeout: None }
    }

    /// The same with a limit on the time until a response begins.
    pub(crate) fn with_timeout(self, timeout: Option<Duration>) -> Self {
        Self { timeout, ..self }
    }

    /// The application is a guest behind that door.
    pub(crate) fn set_inside(&self, door: Door) {
        self.way.send_replace(Way::Inside(door));
    }

    /// The application is a component.
    pub(crate) fn set_component(&self, app: Arc<App>) {
        self.way.send_replace(Way::Component(app));
    }

    /// The application listens on a real port.
    pub(crate) fn set_tcp(&self, address: SocketAddr) {
        self.way.send_replace(Way::Tcp(address));
    }

    /// Waits until the application accepts connections.
    pub(crate) async fn listening(&self) {
        let mut way = self.way.subscribe();
        loop {
            let now = way.borrow_and_update().clone();
            match now {
                Way::Inside(door) => return door.opened().await,
                Way::Component(_) => return,
                Way::Tcp(address) => {
                    while TcpStream::connect(address).await.is_err() {
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                    return;
                }
                Way::Nowhere => {
                    // The sender lives as long as this channel, so a change is all that can happen.
                    let _ = way.changed().await;
                }
            }
        }
    }

    /// Sends one request and gives the answer as soon as its head is there, or one that says that it took too long.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let Some(timeout) = self.timeout else { return self.answer(request).await };
        tokio::time::timeout(timeout, self.answer(request)).await.unwrap_or_else(|_| Ok(overload::timed_out()))
    }

    async fn answer(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let Some(host) = &self.host else { return Err(InvokeError::NoApplication) };
        request.headers_mut().insert(HOST, host.clone());
        let component = match &*self.way.borrow() {
            Way::Component(app) => Some(app.clone()),
            Way::Nowhere | Way::Inside(_) | Way::Tcp(_) => None,
        };
        if let Some(app) = component {
            return Ok(app.handle(request, Some(INSIDE.ip())).await);
        }
        // Cheap to keep, and only a failure makes words of them.
        let asked = (request.method().clone(), request.uri().clone());
        let told = |error: BoxError| {
            let host = host.to_str().unwrap_or_default();
            failure::told(&asked.0, format_args!("http://{host}{}", asked.1), &*error)
        };
        // A kept connection may have been closed by the application meanwhile; then the request was not sent, and
        // goes over a new one.
        while let Some(mut kept) = self.kept() {
            let again = Replay::new(&request);
            match kept.connection.send(request).await {
                Ok(response) => return Ok(self.keep(kept, response)),
                Err(mut failed) => match failed.take_message().or_else(|| again.map(Replay::into_request)) {
                    Some(unsent) => request = unsent,
                    None => return Err(told(failed.into_error().into())),
                },
            }
        }
        let connected = self.connect().await;
        if connected.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
            return Ok(overload::response());
        }
        let mut kept =
            connected.map_err(|error| told(failure::unreachable(host.to_str().unwrap_or_default(), error)))?;
        let response = kept.connection.send(request).await.map_err(|failed| told(failed.into_error().into()))?;
        Ok(self.keep(kept, response))
    }

    async fn connect(&self) -> io::Result<Kept> {
        let way = self.way.borrow().clone();
        match way {
            Way::Nowhere | Way::Component(_) => Err(io::ErrorKind::ConnectionRefused.into()),
            Way::Inside(door) => {
                let (stream, holder) = door.connect(INSIDE)?;
                Ok(Kept { connection: Connection::new(stream).await?, holder })
            }
            Way::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Kept { connection: Connection::new(stream).await?, holder: Holder::default() })
            }
        }
    }

    /// A kept connection to a guest that waits, or else to one that does again in a moment; the one used last, so that few
    /// requests at a time stay with few connections and few instances.
    fn kept(&self) -> Option<Kept> {
        let mut idle = self.idle();
        let ready = |most: Duration| {
            idle.iter().rposition(|kept| kept.connection.is_ready() && kept.holder.computing() <= most)
        };
        let ready = ready(Duration::ZERO).or_else(|| ready(BRIEF));
        let found = ready.map(|index| idle.remove(index));
        if found.is_none() {
            idle.retain(|kept| !kept.connection.is_closed());
        }
        found
    }

    /// A connection is put back at once and becomes ready when the answer's body has been read to its end.
    fn keep(&self, kept: Kept, response: Response<Incoming>) -> Response<Body> {
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE && !kept.connection.is_closed() {
            idle.push(kept);
        }
        drop(idle);
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
