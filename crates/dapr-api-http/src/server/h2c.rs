//! `Upgrade: h2c`: HTTP/2 on a connection that began as HTTP/1.1 (RFC 7540, 3.2), as in daprd.
//!
//! The upgrade request is served as HTTP/2's first stream. hyper supports HTTP/2 only from the start of a connection,
//! so the request is inserted into the client's bytes, after its preface and settings, as the client itself would have
//! sent it.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use dapr_runtime::{Body, empty_body};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

const SETTINGS_HEADER: HeaderName = HeaderName::from_static("http2-settings");
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Maximum body of an upgrade request: the initial flow-control window.
///
/// Larger requests are served over HTTP/1.1.
const MAX_BODY: u64 = 65_535;
/// Maximum size of a frame by default, in bytes.
const MAX_FRAME: usize = 16_384;

/// Frame types and flags.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Stream id of the upgrade request.
const FIRST_STREAM: u32 = 1;

/// A connection that is about to speak HTTP/2.
pub(super) struct PendingUpgrade {
    upgrade: OnUpgrade,
    /// The upgrade request, as frames.
    frames: Vec<u8>,
}

/// Returns whether a request asks for HTTP/2, and can be served over it.
pub(super) fn is_requested(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    let names = |name: &HeaderName, wanted: &str| {
        let words = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        words.flat_map(|words| words.split(',')).any(|word| word.trim().eq_ignore_ascii_case(wanted))
    };
    request.version() == Version::HTTP_11
        && names(&UPGRADE, "h2c")
        && names(&CONNECTION, "upgrade")
        && headers.get_all(SETTINGS_HEADER).iter().count() == 1
        && !headers.contains_key(TRANSFER_ENCODING)
        && request.body().size_hint().upper().is_some_and(|size| size <= MAX_BODY)
}

/// Accepts the upgrade, and leaves the next step in `pending`.
pub(super) async fn accept(mut request: Request<Incoming>, pending: &Mutex<Option<PendingUpgrade>>) -> Response<Body> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let mut response = Response::new(empty_body());
    let Ok(body) = body.collect().await else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let frames = frames(&Request::from_parts(head, body.to_bytes()));
    if let Ok(mut pending) = pending.lock() {
        *pending = Some(PendingUpgrade { upgrade, frames });
    }
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("h2c"));
    response
}

/// Resumes the connection as one that has spoken HTTP/2 from its start.
///
/// # Errors
/// When the client sends something else, or goes away.
pub(super) async fn resume(pending: PendingUpgrade) -> io::Result<PrefixedStream> {
    let upgraded = pending.upgrade.await.map_err(io::Error::other)?;
    let mut stream = TokioIo::new(upgraded);
    let mut beginning = vec![0; PREFACE.len() + 9];
    stream.read_exact(&mut beginning).await?;
    let is_http2 = beginning.starts_with(PREFACE) && beginning.get(PREFACE.len() + 3) == Some(&SETTINGS);
    let size = beginning
        .get(PREFACE.len()..PREFACE.len() + 3)
        .map_or(usize::MAX, |size| size.iter().fold(0, |size, byte| size << 8 | usize::from(*byte)));
    if !is_http2 || size > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no HTTP/2 follows the upgrade"));
    }
    let mut settings = vec![0; size];
    stream.read_exact(&mut settings).await?;
    Ok(PrefixedStream { before: [beginning, settings, pending.frames].concat().into(), stream })
}

/// A stream with buffered bytes before those still to come.
pub(super) struct PrefixedStream {
    before: Bytes,
    stream: TokioIo<Upgraded>,
}

impl AsyncRead for PrefixedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let count = self.before.len().min(buffer.remaining());
        buffer.put_slice(self.before.get(..count).unwrap_or_default());
        self.before.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PrefixedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Encodes a request as frames of the first stream.
fn frames(request: &Request<Bytes>) -> Vec<u8> {
    let fields = fields(request);
    let mut frames = Vec::new();
    let pieces: Vec<&[u8]> = fields.chunks(MAX_FRAME).collect();
    for (number, piece) in pieces.iter().enumerate() {
        let kind = if number == 0 { HEADERS } else { CONTINUATION };
        let ends_headers = if number + 1 == pieces.len() { END_HEADERS } else { 0 };
        let ends_stream = if number == 0 && request.body().is_empty() { END_STREAM } else { 0 };
        put_frame(&mut frames, kind, ends_headers | ends_stream, piece);
    }
    let pieces: Vec<&[u8]> = request.body().chunks(MAX_FRAME).collect();
    for (number, piece) in pieces.iter().enumerate() {
        put_frame(&mut frames, DATA, if number + 1 == pieces.len() { END_STREAM } else { 0 }, piece);
    }
    frames
}

fn put_frame(frames: &mut Vec<u8>, kind: u8, flags: u8, content: &[u8]) {
    let [_, size @ ..] = u32::try_from(content.len()).unwrap_or(0).to_be_bytes();
    frames.extend_from_slice(&size);
    frames.extend_from_slice(&[kind, flags]);
    frames.extend_from_slice(&FIRST_STREAM.to_be_bytes());
    frames.extend_from_slice(content);
}

/// Encodes a request's fields in HPACK, as literals, so that the client's dynamic table stays valid.
fn fields(request: &Request<Bytes>) -> Vec<u8> {
    let headers: &HeaderMap = request.headers();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut fields = Vec::new();
    put_field(&mut fields, b":method", request.method().as_str().as_bytes());
    put_field(&mut fields, b":scheme", b"http");
    put_field(&mut fields, b":path", path.as_bytes());
    if let Some(host) = headers.get(HOST) {
        put_field(&mut fields, b":authority", host.as_bytes());
    }
    // Connection-specific headers, and those that they name, are not allowed in HTTP/2.
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> = named.flat_map(|names| names.split(',')).map(|name| name.trim().to_lowercase()).collect();
    let is_left_out = |name: &HeaderName| {
        [CONNECTION, HOST, UPGRADE, SETTINGS_HEADER, CONTENT_LENGTH].contains(name)
            || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "te")
            || named.iter().any(|named| named == name.as_str())
    };
    for (name, value) in headers.iter().filter(|(name, _)| !is_left_out(name)) {
        put_field(&mut fields, name.as_str().as_bytes(), value.as_bytes());
    }
    if !request.body().is_empty() {
        put_field(&mut fields, b"content-length", request.body().len().to_string().as_bytes());
    }
    fields
}

/// Appends a literal field without indexing, with a new name (RFC 7541, 6.2.2).
fn put_field(fields: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    fields.push(0);
    for text in [name, value] {
        put_length(fields, text.len());
        fields.extend_from_slice(text);
    }
}

/// Appends the length of an uncompressed text, with a prefix of seven bits (RFC 7541, 5.1).
fn put_length(fields: &mut Vec<u8>, length: usize) {
    const MAX_PREFIX: usize = 127;
    let Some(mut rest) = length.checked_sub(MAX_PREFIX) else { return fields.push(length as u8) };
    fields.push(MAX_PREFIX as u8);
    while rest >= 128 {
        fields.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    fields.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_encoded_as_in_rfc_7541() {
        let length = |length| {
            let mut bytes = Vec::new();
            put_length(&mut bytes, length);
            bytes
        };
        assert_eq!((length(0), length(126), length(127)), (vec![0], vec![126], vec![127, 0]));
        assert_eq!(length(1337), [127, 186, 9]);
    }

    #[test]
    fn long_fields_and_bodies_are_split_into_frames() {
        let mut request = Request::new(Bytes::from(vec![1; MAX_FRAME + 1]));
        request.headers_mut().insert("x-long", HeaderValue::from_bytes(&vec![b'a'; MAX_FRAME]).unwrap());
        let frames = frames(&request);
        let mut rest = frames.as_slice();
        let mut kinds = Vec::new();
        while let Some(([s0, s1, s2, kind, flags, ..], _)) = rest.split_first_chunk::<9>() {
            let size = usize::from(*s0) << 16 | usize::from(*s1) << 8 | usize::from(*s2);
            kinds.push((*kind, *flags));
            rest = &rest[9 + size..];
        }
        assert_eq!(kinds, [(HEADERS, 0), (CONTINUATION, END_HEADERS), (DATA, 0), (DATA, END_STREAM)]);
    }
}
