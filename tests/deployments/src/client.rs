//! An HTTP client that sends requests unchanged: no redirects, no retries, no path normalisation.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::Request;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::request::Payload;
use crate::response::RecordedResponse;

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Headers that belong to the connection or the time of day, not to the response.
const IGNORED_HEADERS: &[&str] = &["connection", "content-length", "date", "keep-alive", "transfer-encoding"];

/// Sends one request over a new connection. A failure becomes a response with status 0 and the reason.
pub(crate) async fn send(port: u16, request: http::request::Builder, payload: Payload) -> RecordedResponse {
    let done = tokio::time::timeout(REQUEST_TIMEOUT, exchange(port, request, payload)).await;
    let done = done.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in {REQUEST_TIMEOUT:?}")));
    done.unwrap_or_else(|error| RecordedResponse {
        body: format!("{error:#}").into_bytes(),
        ..RecordedResponse::default()
    })
}

async fn exchange(port: u16, request: http::request::Builder, payload: Payload) -> anyhow::Result<RecordedResponse> {
    let request = request.body(body(payload)).context("this is no HTTP request")?;
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Errors of the connection also show in the response.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.context("the body breaks off")?.to_bytes().to_vec();
    let mut headers: Vec<_> = parts
        .headers
        .iter()
        .filter(|(name, _)| !IGNORED_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    Ok(RecordedResponse { status: parts.status.as_u16(), headers, body })
}

/// Creates a request without its body.
#[must_use]
pub fn request(method: &str, target: &str, host: &str) -> http::request::Builder {
    Request::builder().method(method).uri(target).header("host", host)
}

fn body(payload: Payload) -> BoxBody<Bytes, Infallible> {
    match payload {
        Payload::Whole(bytes) => Full::new(bytes).boxed(),
        Payload::Chunks(chunks) => {
            let frames = chunks.into_iter().map(|chunk| Ok(Frame::data(chunk)));
            BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)))
        }
    }
}
