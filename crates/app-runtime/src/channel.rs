//! The way to one application: connections that are kept and used again.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use building_blocks::BoxError;
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use sidecar::{Body, InvokeError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use wasmedge_guest::Connector;

use crate::component_app::App;
use crate::failure;

/// Connections that wait for their next request; more are closed.
const MAX_IDLE: usize = 64;

/// The caller that a guest sees when the host itself calls.
const INSIDE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How an application is reached.
#[derive(Clone)]
enum Way {
    Nowhere,
    /// A guest of this process listens.
    Inside(Connector),
    Tcp(SocketAddr),
    /// A component of this process, which is called without a connection.
    Component(Arc<App>),
}

/// The way to one application. It survives restarts of the application.
pub(crate) struct AppChannel {
    way: watch::Sender<Way>,
    idle: Mutex<VecDeque<SendRequest<Body>>>,
    host: Option<HeaderValue>,
}

impl AppChannel {
    pub(crate) fn new(port: Option<u16>) -> Self {
        let host = port.and_then(|port| HeaderValue::try_from(format!("127.0.0.1:{port}")).ok());
        Self { way: watch::Sender::new(Way::Nowhere), idle: Mutex::default(), host }
    }

    /// The application is a guest that has begun to listen.
    pub(crate) fn set_inside(&self, connector: Connector) {
        self.idle().clear();
        self.way.send_replace(Way::Inside(connector));
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
                Way::Inside(connector) if connector.is_open() => return,
                Way::Component(_) => return,
                Way::Tcp(address) => {
                    while TcpStream::connect(address).await.is_err() {
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                    return;
                }
                Way::Inside(_) | Way::Nowhere => {
                    // The sender lives as long as this channel, so a change is all that can happen.
                    let _ = way.changed().await;
                }
            }
        }
    }

    /// Sends one request and gives the answer as soon as its head is there.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
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
        while let Some(mut connection) = self.kept() {
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(self.keep(connection, response)),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(told(failed.into_error().into())),
                },
            }
        }
        let connected = self.connect().await;
        let mut connection =
            connected.map_err(|error| told(failure::unreachable(host.to_str().unwrap_or_default(), error)))?;
        let response = connection.send_request(request).await.map_err(|error| told(error.into()))?;
        Ok(self.keep(connection, response))
    }

    async fn connect(&self) -> io::Result<SendRequest<Body>> {
        let way = self.way.borrow().clone();
        match way {
            Way::Nowhere | Way::Component(_) => Err(io::ErrorKind::ConnectionRefused.into()),
            Way::Inside(connector) => handshake(connector.connect(INSIDE)?).await,
            Way::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                handshake(stream).await
            }
        }
    }

    fn kept(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle();
        let ready = idle.iter().position(SendRequest::is_ready);
        let found = ready.and_then(|index| idle.swap_remove_back(index));
        if found.is_none() {
            idle.retain(|connection| !connection.is_closed());
        }
        found
    }

    /// A connection is put back at once and becomes ready when the answer's body has been read to its end.
    fn keep(&self, connection: SendRequest<Body>, response: Response<Incoming>) -> Response<Body> {
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE && !connection.is_closed() {
            idle.push_back(connection);
        }
        drop(idle);
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<SendRequest<Body>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Speaks HTTP/1.1 over `stream`.
pub(crate) async fn handshake<S>(stream: S) -> io::Result<SendRequest<Body>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}
