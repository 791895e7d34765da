//! A client that sends what it is given: no redirects, no retries, no tidying of paths.

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

use crate::answer::Answer;
use crate::request::Payload;

/// No case takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Framing and the time of day: they belong to the connection, not to the answer.
const NOT_COMPARED: &[&str] = &["connection", "content-length", "date", "keep-alive", "transfer-encoding"];

/// Sends one request over a connection of its own. A failure is an answer too: status 0 and the reason.
pub(crate) async fn send(port: u16, request: http::request::Builder, payload: Payload) -> Answer {
    let done = tokio::time::timeout(PATIENCE, exchange(port, request, payload)).await;
    let done = done.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in {PATIENCE:?}")));
    done.unwrap_or_else(|error| Answer { body: format!("{error:#}").into_bytes(), ..Answer::default() })
}

async fn exchange(port: u16, request: http::request::Builder, payload: Payload) -> anyhow::Result<Answer> {
    let request = request.body(body(payload)).context("this is no HTTP request")?;
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Its end shows in the answer.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.context("the body breaks off")?.to_bytes().to_vec();
    let mut headers: Vec<_> = parts
        .headers
        .iter()
        .filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    Ok(Answer { status: parts.status.as_u16(), headers, body })
}

/// A request without its body.
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
