//! One request and its response, as a guest sees and changes them.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use dapr_building_blocks::middleware::{Body, Peer, empty_body, full_body};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt as _;
use wasmtime::{Result, bail, format_err};

/// Limit on the bytes of a body that is buffered for a guest, or written by it.
const MAX_BODY_BYTES: usize = 16 << 20;
/// Limit on the bytes of all headers of a request or response that a guest changes.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Features of the ABI, as bits.
pub(crate) const BUFFER_REQUEST: u32 = 1;
pub(crate) const BUFFER_RESPONSE: u32 = 2;
/// Features that this host supports: all but trailers.
pub(crate) const SUPPORTED_FEATURES: u32 = BUFFER_REQUEST | BUFFER_RESPONSE;

/// Message whose headers or body a function uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Request,
    Response,
}

/// Request in the middleware pipeline, and its response.
pub(crate) struct Exchange {
    pub(crate) features: u32,
    is_after_next: bool,
    source: Option<SocketAddr>,
    request: http::request::Parts,
    request_body: Content,
    response: http::response::Parts,
    response_body: Content,
}

/// State of a body with respect to the guest.
enum Content {
    /// Not accessed yet.
    Untouched(Body),
    /// Buffered, and read up to a position.
    Read { bytes: Bytes, position: usize },
    /// Replaced by the guest.
    Written(Vec<u8>),
}

impl Content {
    /// Returns the next bytes, at most `limit`, and true if they are the last.
    async fn read(&mut self, limit: usize) -> Result<(Bytes, bool)> {
        if let Self::Untouched(body) = self {
            let body = std::mem::replace(body, empty_body());
            *self = Self::Read { bytes: collect(body).await?, position: 0 };
        }
        if let Self::Written(written) = self {
            *self = Self::Read { bytes: std::mem::take(written).into(), position: 0 };
        }
        let Self::Read { bytes, position } = self else { return Ok((Bytes::new(), true)) };
        let end = position.saturating_add(limit).min(bytes.len());
        let piece = bytes.slice(*position..end);
        *position = end;
        Ok((piece, end == bytes.len()))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if !matches!(self, Self::Written(_)) {
            *self = Self::Written(Vec::new());
        }
        let Self::Written(written) = self else { return Ok(()) };
        if written.len() + bytes.len() > MAX_BODY_BYTES {
            bail!("body is larger than {MAX_BODY_BYTES} bytes");
        }
        written.extend_from_slice(bytes);
        Ok(())
    }

    fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }

    /// Returns the body for the next handler or the client. With `keep`, it includes the bytes that were read.
    fn into_body(self, keep: bool) -> Body {
        match self {
            Self::Untouched(body) => body,
            Self::Read { bytes, .. } if keep => full_body(bytes),
            Self::Read { bytes, position } => full_body(bytes.slice(position..)),
            Self::Written(bytes) => full_body(bytes),
        }
    }
}

async fn collect(mut body: Body) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format_err!("reading the body: {error}"))?;
        let data = frame.into_data().unwrap_or_default();
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            bail!("body is larger than {MAX_BODY_BYTES} bytes");
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

impl Exchange {
    pub(crate) fn new(request: Request<Body>, features: u32) -> Self {
        let (request, body) = request.into_parts();
        let (response, empty) = Response::new(empty_body()).into_parts();
        Self {
            features,
            is_after_next: false,
            source: request.extensions.get::<Peer>().map(|peer| peer.0),
            request,
            request_body: Content::Untouched(body),
            response,
            response_body: Content::Untouched(empty),
        }
    }

    /// Returns the request for the next handler. The guest still sees its method, URI and headers.
    pub(crate) fn take_request(&mut self) -> Request<Body> {
        let content = std::mem::replace(&mut self.request_body, Content::Untouched(empty_body()));
        if content.is_written() {
            self.request.headers.remove(http::header::CONTENT_LENGTH);
        }
        let mut request = Request::new(content.into_body(self.features & BUFFER_REQUEST != 0));
        *request.method_mut() = self.request.method.clone();
        *request.uri_mut() = self.request.uri.clone();
        *request.version_mut() = self.request.version;
        *request.headers_mut() = self.request.headers.clone();
        *request.extensions_mut() = std::mem::take(&mut self.request.extensions);
        request
    }

    /// Stores the next handler's response.
    ///
    /// Returns it instead if the guest did not enable buffering, and so cannot change it.
    pub(crate) async fn set_response(&mut self, response: Response<Body>) -> Result<Option<Response<Body>>, String> {
        self.is_after_next = true;
        if self.features & BUFFER_RESPONSE == 0 {
            return Ok(Some(response));
        }
        let (parts, body) = response.into_parts();
        let bytes = collect(body).await.map_err(|error| format!("{error:#}"))?;
        (self.response, self.response_body) = (parts, Content::Read { bytes, position: 0 });
        Ok(None)
    }

    /// Returns the response that the guest has created or changed.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::from_parts(self.response, empty_body());
        if self.response_body.is_written() {
            response.headers_mut().remove(http::header::CONTENT_LENGTH);
        }
        *response.body_mut() = self.response_body.into_body(true);
        response
    }

    pub(crate) fn method(&self) -> &str {
        self.request.method.as_str()
    }

    pub(crate) fn set_method(&mut self, method: &[u8]) -> Result<()> {
        self.check_before_next("set the method")?;
        self.request.method = Method::from_bytes(method)?;
        Ok(())
    }

    pub(crate) fn uri(&self) -> &str {
        self.request.uri.path_and_query().map_or("/", PathAndQuery::as_str)
    }

    /// Sets path and query; empty means the root.
    pub(crate) fn set_uri(&mut self, uri: &[u8]) -> Result<()> {
        self.check_before_next("set the URI")?;
        let target = if uri.is_empty() { b"/" } else { uri };
        if target.first() != Some(&b'/') {
            bail!("URI is not a path: {}", String::from_utf8_lossy(target).escape_debug());
        }
        let mut parts = std::mem::take(&mut self.request.uri).into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(target)?);
        self.request.uri = Uri::from_parts(parts)?;
        Ok(())
    }

    pub(crate) fn protocol_version(&self) -> &'static str {
        match self.request.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        }
    }

    /// Returns the address of the client; empty if unknown.
    pub(crate) fn source_address(&self) -> String {
        self.source.map(|address| address.to_string()).unwrap_or_default()
    }

    pub(crate) fn headers(&self, message: Message) -> &HeaderMap {
        match message {
            Message::Request => &self.request.headers,
            Message::Response => &self.response.headers,
        }
    }

    /// Changes one header: `None` removes it; otherwise the value is added, or replaces all others.
    pub(crate) fn change_header(
        &mut self,
        message: Message,
        name: &[u8],
        value: Option<&[u8]>,
        is_added: bool,
    ) -> Result<()> {
        match message {
            Message::Request => self.check_before_next("change request headers")?,
            Message::Response => self.check_response_access("change response headers")?,
        }
        let name = HeaderName::from_bytes(name)?;
        let headers = match message {
            Message::Request => &mut self.request.headers,
            Message::Response => &mut self.response.headers,
        };
        match value {
            None => drop(headers.remove(name)),
            Some(value) => {
                let value = HeaderValue::from_bytes(value)?;
                let present: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
                if present + name.as_str().len() + value.len() > MAX_HEADER_BYTES {
                    bail!("headers are larger than {MAX_HEADER_BYTES} bytes");
                }
                if is_added {
                    headers.try_append(name, value)?;
                } else {
                    headers.try_insert(name, value)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn read_body(&mut self, message: Message, limit: usize) -> Result<(Bytes, bool)> {
        match message {
            Message::Request if self.is_after_next => bail!("cannot read the request body after the next handler"),
            Message::Request => self.request_body.read(limit).await,
            Message::Response => {
                self.check_response_access("read the response body")?;
                self.response_body.read(limit).await
            }
        }
    }

    pub(crate) fn write_body(&mut self, message: Message, bytes: &[u8]) -> Result<()> {
        match message {
            Message::Request => {
                self.check_before_next("write the request body")?;
                self.request_body.write(bytes)
            }
            Message::Response => {
                self.check_response_access("write the response body")?;
                self.response_body.write(bytes)
            }
        }
    }

    pub(crate) fn status(&self) -> Result<u16> {
        self.check_response_access("get the status code")?;
        Ok(self.response.status.as_u16())
    }

    pub(crate) fn set_status(&mut self, status: u32) -> Result<()> {
        self.check_response_access("set the status code")?;
        let status = u16::try_from(status)?;
        // Lower codes are not final responses.
        if status < 200 {
            bail!("{status} is not the status code of a final response");
        }
        self.response.status = StatusCode::from_u16(status)?;
        Ok(())
    }

    fn check_before_next(&self, action: &str) -> Result<()> {
        if self.is_after_next {
            bail!("cannot {action} after the next handler");
        }
        Ok(())
    }

    fn check_response_access(&self, action: &str) -> Result<()> {
        if self.is_after_next && self.features & BUFFER_RESPONSE == 0 {
            bail!("cannot {action} after the next handler unless buffer_response is enabled");
        }
        Ok(())
    }
}
