//! The server for WasmEdge: hyper_wasi on WasmEdge's sockets.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http_body::Body as _;
use hyper::body::HttpBody as _;
use hyper::server::conn::AddrStream;
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Server};
use tower::ServiceExt as _;

use crate::{Peer, Problem, framing};

/// Timeout for reading a request's header.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(15);

/// Serves requests to an address until the program ends.
///
/// # Errors
/// If the address cannot be bound.
pub async fn listen(router: Router, address: SocketAddr) -> Result<(), hyper::Error> {
    let router = router.layer(from_fn(framing::enforce));
    let connections = make_service_fn(move |connection: &AddrStream| {
        let (router, peer) = (router.clone(), connection.remote_addr().ip());
        async move {
            Ok::<_, Infallible>(service_fn(move |request| {
                let router = router.clone();
                async move { Ok::<_, Infallible>(into_02(handle(router, request, peer).await).await) }
            }))
        }
    });
    // WasmEdge's sockets write only the first buffer of a vectored write and cannot switch Nagle's algorithm off: with
    // hyper's default each response would wait 44 ms for a delayed acknowledgement.
    let server = Server::try_bind(&address)?.http1_writev(false).http1_header_read_timeout(HEADER_READ_TIMEOUT);
    server.serve(connections).await
}

async fn handle(router: Router, request: hyper::Request<Body>, peer: IpAddr) -> Response {
    let (head, body) = request.into_parts();
    let body = if body.is_end_stream() { axum::body::Body::empty() } else { axum::body::Body::from_stream(body) };
    let Ok(mut request) = http_compat::request_to_1(&head, body) else {
        return Problem::new(StatusCode::BAD_REQUEST, "the request cannot be understood").into_response();
    };
    request.extensions_mut().insert(Peer(peer));
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Converts a response. A body of known length, which is in memory, is sent as one piece.
async fn into_02(response: Response) -> hyper::Response<Body> {
    let (head, body) = response.into_parts();
    let body = if body.size_hint().exact().is_some() {
        axum::body::to_bytes(body, usize::MAX).await.map_or_else(|_| Body::empty(), Body::from)
    } else {
        Body::wrap_stream(body.into_data_stream())
    };
    http_compat::response_to_02(http::Response::from_parts(head, body)).unwrap_or_else(|_| {
        // Every header that http 1 accepts is valid in http 0.2; this branch only satisfies the compiler.
        let mut response = hyper::Response::new(Body::empty());
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
