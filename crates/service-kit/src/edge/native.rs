//! The native server (hyper 1 on tokio), so that `cargo test` drives a service over real HTTP.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::body::{BodyError, BodySource};
use crate::{App, Service, framing};

impl BodySource for Incoming {
    async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            match self.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some(Ok(data)),
                    Err(_trailers) => {}
                },
                Err(_) => return Some(Err(BodyError)),
            }
        }
    }
}

/// Serves requests until the runtime ends.
///
/// # Errors
/// If accepting a connection fails.
pub async fn serve<A: App>(service: Service<A>, listener: TcpListener) -> io::Result<()> {
    let service = Arc::new(service);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(Arc::clone(&service), stream));
    }
}

/// Serves one connection. Its errors affect no other connection.
async fn connection<A: App>(service: Arc<Service<A>>, stream: TcpStream) {
    let Ok(peer) = stream.peer_addr() else { return };
    let handle = service_fn(move |request: http::Request<Incoming>| {
        let service = Arc::clone(&service);
        async move {
            let (head, body) = request.into_parts();
            let is_last = framing::is_last(&head);
            let mut response = match framing::check(&head) {
                Ok(()) => service.handle(head, body, peer.ip()).await,
                Err(problem) => problem.into(),
            };
            if is_last {
                framing::close_after(&mut response);
            }
            Ok::<_, Infallible>(response.map(Full::new))
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), handle).await;
}
