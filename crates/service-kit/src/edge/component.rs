//! The server for components: the host speaks HTTP and calls `wasi:http/incoming-handler` for each request.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method as WasiMethod, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, StreamError};

use crate::body::{BodyError, BodySource};
use crate::{App, Environment, Log, Problem, Response, Service, startup};

pub use wasip2;

/// Most bytes of a body requested in one read.
const READ_SIZE: u64 = 1 << 20;

/// A service, built on first use and kept as long as its instance lives.
pub struct Instance<A>(OnceLock<Result<Service<A>, String>>);

impl<A: App> Instance<A> {
    /// Creates an instance whose service is not built yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Builds the service if it is not built yet.
    pub fn ready(&self, build: fn(&mut Environment<'_>, std::sync::Arc<dyn Log>) -> Service<A>) -> &Self {
        self.0.get_or_init(|| startup::build(build).map_err(|errors| errors.to_string()));
        self
    }

    /// Handles a request. [`ready`](Self::ready) must have been called before.
    pub fn handle(&self, request: IncomingRequest, out: ResponseOutparam) {
        let response = match self.0.get() {
            // Every host call returns its result before it ends, so that the service's future never has to wait.
            Some(Ok(service)) => {
                handle(service, &request).now_or_never().unwrap_or_else(|| internal_error("the service waits"))
            }
            Some(Err(errors)) => internal_error(errors),
            None => internal_error("the service was not built"),
        };
        // The client may be gone; then there is nobody to respond to.
        let _ = send(response, out);
    }
}

impl<A: App> Default for Instance<A> {
    fn default() -> Self {
        Self::new()
    }
}

fn internal_error(why: &str) -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_owned()).into()
}

async fn handle<A: App>(service: &Service<A>, request: &IncomingRequest) -> Response {
    let Some(head) = head(request) else {
        return Problem::new(StatusCode::BAD_REQUEST, "the request cannot be understood").into();
    };
    // Without an address from the host, all users count as one.
    let peer = dapr_client::peer().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    match request.consume().map(HostBody::new) {
        Ok(body) => service.handle(head, body, peer).await,
        Err(()) => service.handle(head, Bytes::new(), peer).await,
    }
}

fn head(request: &IncomingRequest) -> Option<Parts> {
    let mut head = Request::builder().method(method(request.method())?);
    head = head.uri(request.path_with_query().unwrap_or_else(|| "/".to_owned()));
    let headers: &mut HeaderMap = head.headers_mut()?;
    for (name, value) in request.headers().entries() {
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?);
    }
    Some(head.body(()).ok()?.into_parts().0)
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

impl BodySource for HostBody {
    async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            match self.stream.as_ref()?.blocking_read(READ_SIZE) {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Some(Ok(piece.into())),
                Err(StreamError::Closed) => return None,
                Err(StreamError::LastOperationFailed(_)) => {
                    self.stream = None;
                    return Some(Err(BodyError));
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
    if !body.is_empty() {
        let mut stream = outgoing.write().map_err(|()| ClientGone)?;
        stream.write_all(&body).map_err(|_| ClientGone)?;
        stream.blocking_flush().map_err(|_| ClientGone)?;
    }
    OutgoingBody::finish(outgoing, None).map_err(|_| ClientGone)
}

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated by wit-bindgen")]
pub mod wit {
    wit_bindgen::generate!({ path: "../../wit/runtime", world: "reusable", pub_export_macro: true });
}

/// Exports a service that `$build` builds as a component.
///
/// Each request gets a fresh instance, unless `requests` says how many an instance handles.
#[macro_export]
macro_rules! component {
    ($app:ty, $build:path) => {
        #[expect(missing_docs, unsafe_code, unreachable_pub, reason = "generated by wit-bindgen")]
        mod component {
            $crate::component!(@handler $app, $build);
        }
    };
    ($app:ty, $build:path, requests: $requests:expr) => {
        #[expect(missing_docs, unsafe_code, unreachable_pub, reason = "generated by wit-bindgen")]
        mod component {
            $crate::component!(@handler $app, $build);

            impl $crate::edge::component::wit::exports::dapr::runtime::instance::Guest for Component {
                fn requests() -> u32 {
                    INSTANCE.ready($build);
                    $requests
                }
            }

            $crate::edge::component::wit::export!(Component with_types_in $crate::edge::component::wit);
        }
    };
    (@handler $app:ty, $build:path) => {
        use $crate::edge::component::wasip2;

        static INSTANCE: $crate::edge::component::Instance<$app> = $crate::edge::component::Instance::new();

        pub struct Component;

        impl wasip2::exports::http::incoming_handler::Guest for Component {
            fn handle(request: wasip2::http::types::IncomingRequest, out: wasip2::http::types::ResponseOutparam) {
                INSTANCE.ready($build).handle(request, out);
            }
        }

        wasip2::http::proxy::export!(Component with_types_in wasip2);
    };
}
