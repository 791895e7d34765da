//! The server for WasmEdge: hyper_wasi on WasmEdge's sockets.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::body::HttpBody;
use hyper::server::conn::AddrStream;
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Server};

use crate::body::{BodyError, BodySource};
use crate::{App, Problem, Service, framing};

/// Timeout for reading a request's header.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(15);

impl BodySource for Body {
    async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        Some(self.data().await?.map_err(|_| BodyError))
    }
}

/// Serves requests until the program ends.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve<A: App>(service: Service<A>) -> Result<(), hyper::Error> {
    let listen = service.settings().listen;
    let service = Arc::new(service);
    let connections = make_service_fn(move |connection: &AddrStream| {
        let (service, peer) = (Arc::clone(&service), connection.remote_addr().ip());
        async move {
            Ok::<_, Infallible>(service_fn(move |request| {
                let service = Arc::clone(&service);
                async move { Ok::<_, Infallible>(handle(&service, request, peer).await) }
            }))
        }
    });
    // WasmEdge's sockets write only the first buffer of a vectored write and cannot switch Nagle's algorithm off: with
    // hyper's default each response would wait 44 ms for a delayed acknowledgement.
    let server = Server::try_bind(&listen)?.http1_writev(false).http1_header_read_timeout(HEADER_READ_TIMEOUT);
    server.serve(connections).await
}

async fn handle<A: App>(service: &Service<A>, request: hyper::Request<Body>, peer: IpAddr) -> hyper::Response<Body> {
    let (head, body) = request.into_parts();
    let response = match http_compat::request_to_1(&head, ()) {
        Ok(request) => {
            let head = request.into_parts().0;
            let is_last = framing::is_last(&head);
            let mut response = match framing::check(&head) {
                Ok(()) => service.handle(head, body, peer).await,
                Err(problem) => problem.into(),
            };
            if is_last {
                framing::close_after(&mut response);
            }
            response
        }
        Err(_) => Problem::new(StatusCode::BAD_REQUEST, "the request cannot be understood").into(),
    };
    http_compat::response_to_02(response.map(Body::from)).unwrap_or_else(|_| {
        // Every header that http 1 accepts is valid in http 0.2; this branch only satisfies the compiler.
        let mut response = hyper::Response::new(Body::empty());
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
