//! HTTP requests through the host's `wasi:http/outgoing-handler`.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_client::{Transport, TransportError};
use http::{Request, Response, StatusCode};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

/// Largest accepted response in bytes.
const MAX_RESPONSE_BYTES: usize = 16 << 20;

/// Most bytes of a body requested in one read.
const READ_SIZE: u64 = 1 << 20;

/// The host's HTTP client.
pub(crate) struct WasiHttp {
    limit: Option<Duration>,
    late: AtomicBool,
}

impl WasiHttp {
    pub(crate) const fn new(limit: Option<Duration>) -> Self {
        Self { limit, late: AtomicBool::new(false) }
    }

    /// Returns true if a request exceeded its timeout.
    pub(crate) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    fn options(&self) -> Option<RequestOptions> {
        let nanoseconds = u64::try_from(self.limit?.as_nanos()).unwrap_or(u64::MAX);
        let options = RequestOptions::new();
        // A host without timeouts is treated as one without a request for them.
        let _ = options.set_connect_timeout(Some(nanoseconds));
        let _ = options.set_first_byte_timeout(Some(nanoseconds));
        Some(options)
    }

    fn convert_error(&self, code: ErrorCode) -> TransportError {
        let late = matches!(
            code,
            ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout
        );
        self.late.fetch_or(late, Ordering::Relaxed);
        TransportError::Connect(format!("{code:?}").into())
    }
}

#[async_trait]
impl Transport for WasiHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (outgoing, body) = build_request(request)?;
        let outgoing_body = outgoing.body().map_err(|()| impossible("the request has no body"))?;
        let coming = outgoing_handler::handle(outgoing, self.options()).map_err(|code| self.convert_error(code))?;
        if !body.is_empty() {
            let mut stream = outgoing_body.write().map_err(|()| impossible("the request's body was taken"))?;
            // A host closes the stream when it has sent the announced length, before or after the flush, or when the
            // server wants no more. The response decides in any case.
            if stream.write_all(&body).is_ok() {
                let _ = stream.blocking_flush();
            }
        }
        let _ = OutgoingBody::finish(outgoing_body, None);
        coming.subscribe().block();
        let answer = coming.get().and_then(Result::ok).ok_or_else(|| impossible("the answer was taken twice"))?;
        read(answer.map_err(|code| self.convert_error(code))?)
    }
}

fn build_request(request: Request<Bytes>) -> Result<(OutgoingRequest, Bytes), TransportError> {
    let (head, body) = request.into_parts();
    let headers = Fields::new();
    for (name, value) in &head.headers {
        let added = headers.append(name.as_str(), value.as_bytes());
        added.map_err(|error| TransportError::Request(format!("{name}: {error:?}").into()))?;
    }
    if !body.is_empty() {
        let _ = headers.append("content-length", body.len().to_string().as_bytes());
    }
    let request = OutgoingRequest::new(headers);
    let set = request
        .set_method(&Method::Other(head.method.to_string()))
        .and_then(|()| request.set_scheme(Some(&Scheme::Http)))
        .and_then(|()| request.set_authority(head.uri.authority().map(|it| it.as_str())))
        .and_then(|()| request.set_path_with_query(head.uri.path_and_query().map(|it| it.as_str())));
    set.map_err(|()| TransportError::Request("the host does not take the request's head".into()))?;
    Ok((request, body))
}

fn read(answer: IncomingResponse) -> Result<Response<Bytes>, TransportError> {
    let unreadable = |why: &str| TransportError::Response(why.into());
    let mut response = Response::builder()
        .status(StatusCode::from_u16(answer.status()).map_err(|error| TransportError::Response(error.into()))?);
    for (name, value) in answer.headers().entries() {
        response = response.header(name, value);
    }
    let body = answer.consume().map_err(|()| unreadable("the answer has no body"))?;
    let stream = body.stream().map_err(|()| unreadable("the answer's body cannot be read"))?;
    let mut whole = Vec::new();
    loop {
        match stream.blocking_read(READ_SIZE) {
            Ok(piece) if whole.len() + piece.len() > MAX_RESPONSE_BYTES => {
                return Err(unreadable("the answer is too long"));
            }
            Ok(piece) => whole.extend_from_slice(&piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(unreadable("the answer broke off")),
        }
    }
    drop(stream);
    response.body(whole.into()).map_err(|error| TransportError::Response(error.into()))
}

fn impossible(why: &'static str) -> TransportError {
    TransportError::Request(why.into())
}
