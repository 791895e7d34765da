//! The server for components: the host speaks HTTP and calls `wasi:http/incoming-handler` for each request.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use tower::ServiceExt as _;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method as WasiMethod, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, StreamError};

use crate::{Environment, Peer, Problem, Service, startup};

pub use wasip2;

/// Most bytes of a body requested in one read.
const READ_SIZE: u64 = 1 << 20;

/// A service's router, built on first use and kept as long as its instance lives.
pub struct Instance(OnceLock<Result<Router, String>>);

impl Instance {
    /// Creates an instance whose service is not built yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Builds the service if it is not built yet.
    pub fn ready(&self, service: fn(&mut Environment<'_>) -> Service) -> &Self {
        let build = || startup::build(service).map(Service::into_router).map_err(|errors| errors.to_string());
        self.0.get_or_init(build);
        self
    }

    /// Handles a request. [`ready`](Self::ready) must have been called before.
    pub fn handle(&self, request: IncomingRequest, out: ResponseOutparam) {
        let response = match self.0.get() {
            // Every host call returns its result before it ends, so that the service's future never has to wait.
            Some(Ok(router)) => {
                handle(router.clone(), &request).now_or_never().unwrap_or_else(|| internal_error("the service waits"))
            }
            Some(Err(errors)) => internal_error(errors),
            None => internal_error("the service was not built"),
        };
        // The client may be gone; then there is nobody to respond to.
        let _ = send(response, out);
    }
}

impl Default for Instance {
    fn default() -> Self {
        Self::new()
    }
}

fn internal_error(why: &str) -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_owned()).into_response()
}

async fn handle(router: Router, request: &IncomingRequest) -> Response {
    match convert(request) {
        Some(request) => router.oneshot(request).await.unwrap_or_else(|never| match never {}),
        None => Problem::new(StatusCode::BAD_REQUEST, "the request cannot be understood").into_response(),
    }
}

fn convert(request: &IncomingRequest) -> Option<Request> {
    let mut converted = http::Request::builder().method(method(request.method())?);
    converted = converted.uri(request.path_with_query().unwrap_or_else(|| "/".to_owned()));
    let headers: &mut HeaderMap = converted.headers_mut()?;
    for (name, value) in request.headers().entries() {
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?);
    }
    let peer = dapr_client::peer().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let body =
        request.consume().map_or_else(|()| Body::empty(), |body| Body::from_stream(stream::iter(HostBody::new(body))));
    converted.extension(Peer(peer)).body(body).ok()
}

fn method(method: WasiMethod) -> Option<Method> {
    Some(match method {
        WasiMethod::Get => Method::GET,
        WasiMethod::Head => Method::HEAD,
        WasiMethod::Post => Method::POST,
        WasiMethod::Put => Method::PUT,
        WasiMethod::Delete => Method::DELETE,
        WasiMethod::Connect => Method::CONNECT,
        WasiMethod::Options => Method::OPTIONS,
        WasiMethod::Trace => Method::TRACE,
        WasiMethod::Patch => Method::PATCH,
        WasiMethod::Other(name) => Method::from_bytes(name.as_bytes()).ok()?,
    })
}

/// A request body that the host reads.
struct HostBody {
    /// Declared before its body, because a stream must not outlive it.
    stream: Option<InputStream>,
    _body: IncomingBody,
}

impl HostBody {
    fn new(body: IncomingBody) -> Self {
        Self { stream: body.stream().ok(), _body: body }
    }
}

impl Iterator for HostBody {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            match self.stream.as_ref()?.blocking_read(READ_SIZE) {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Some(Ok(chunk.into())),
                Err(StreamError::Closed) => return None,
                Err(StreamError::LastOperationFailed(error)) => {
                    self.stream = None;
                    return Some(Err(io::Error::other(error.to_debug_string())));
                }
            }
        }
    }
}

/// Error of a response that could not be sent because the client is gone.
struct ClientGone;

fn send(response: Response, out: ResponseOutparam) -> Result<(), ClientGone> {
    let (head, body) = response.into_parts();
    let headers = Fields::new();
    for (name, value) in &head.headers {
        // Headers that the host forbids are set by the host itself.
        let _ = headers.append(name.as_str(), value.as_bytes());
    }
    let response = OutgoingResponse::new(headers);
    response.set_status_code(head.status.as_u16()).map_err(|()| ClientGone)?;
    let outgoing = response.body().map_err(|()| ClientGone)?;
    ResponseOutparam::set(out, Ok(response));
    let (mut chunks, mut stream) = (body.into_data_stream(), outgoing.write().map_err(|()| ClientGone)?);
    // A chunk that is not there at once never comes: see `handle`.
    while let Some(Some(Ok(chunk))) = chunks.next().now_or_never() {
        stream.write_all(&chunk).map_err(|_| ClientGone)?;
        stream.blocking_flush().map_err(|_| ClientGone)?;
    }
    // A stream must not outlive its body.
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|_| ClientGone)
}

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated by wit-bindgen")]
pub mod wit {
    wit_bindgen::generate!({ path: "wit/runtime", world: "reusable", pub_export_macro: true });
}

/// Exports a service that `$service` builds as a component.
///
/// Each request gets a fresh instance, unless `requests` says how many an instance handles.
#[macro_export]
macro_rules! component {
    ($service:path) => {
        #[expect(missing_docs, unsafe_code, unreachable_pub, reason = "generated by wit-bindgen")]
        mod component {
            $crate::component!(@handler $service);
        }
    };
    ($service:path, requests: $requests:expr) => {
        #[expect(missing_docs, unsafe_code, unreachable_pub, reason = "generated by wit-bindgen")]
        mod component {
            $crate::component!(@handler $service);

            impl $crate::edge::component::wit::exports::dapr::runtime::instance::Guest for Component {
                fn requests() -> u32 {
                    INSTANCE.ready($service);
                    $requests
                }
            }

            $crate::edge::component::wit::export!(Component with_types_in $crate::edge::component::wit);
        }
    };
    (@handler $service:path) => {
        use $crate::edge::component::wasip2;

        static INSTANCE: $crate::edge::component::Instance = $crate::edge::component::Instance::new();

        pub struct Component;

        impl wasip2::exports::http::incoming_handler::Guest for Component {
            fn handle(request: wasip2::http::types::IncomingRequest, out: wasip2::http::types::ResponseOutparam) {
                INSTANCE.ready($service).handle(request, out);
            }
        }

        wasip2::http::proxy::export!(Component with_types_in wasip2);
    };
}
