//! The application behind the sidecars: it reports the exact request, and responds as the path says.
//!
//! It also subscribes to topics, keeps the messages that it gets, and shows them at `/received/TEXT`.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Longest body that is echoed, in bytes; larger ones are reported as length and checksum.
const MAX_ECHOED_BYTES: usize = 4096;

/// Serves on a free port until the process ends.
pub(crate) async fn start() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let received = Received::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let received = received.clone();
            let service = hyper::service::service_fn(move |request| answer(request, received.clone()));
            let serve = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Errors of a peer's connection are ignored.
            tokio::spawn(serve);
        }
    });
    Ok(port)
}

type Reply = Response<BoxBody<Bytes, Infallible>>;

/// Descriptions of the messages so far.
type Received = Arc<Mutex<Vec<Bytes>>>;

/// Subscriptions of the application `subscriber`.
const SUBSCRIPTIONS: &str = include_str!("topology/subscriptions.json");

/// Chooses the response by the first segment of the path.
async fn answer(request: Request<Incoming>, received: Received) -> Result<Reply, hyper::Error> {
    let path = request.uri().path().to_owned();
    let mut segments = path.trim_start_matches('/').split('/');
    let reply = match (segments.next().unwrap_or_default(), segments.next().unwrap_or_default()) {
        ("dapr", "subscribe") if request.headers().get("dapr-app-id").is_some_and(|id| id == "subscriber") => {
            reply(200, Full::new(Bytes::from_static(SUBSCRIPTIONS.as_bytes())).boxed())
        }
        ("dapr", _) => reply(404, Full::new(Bytes::new()).boxed()),
        ("on", how) => {
            let how = how.to_owned();
            let description = describe(request).await?;
            if how.contains(',') {
                let (_, status) = turn(&received, &how, &description);
                return Ok(reply(status, Full::new(Bytes::new()).boxed()));
            }
            let answer = reception(&how, &description);
            received.lock().unwrap_or_else(PoisonError::into_inner).push(description);
            answer
        }
        ("received", text) => {
            let received = received.lock().unwrap_or_else(PoisonError::into_inner);
            let its = received.iter().filter(|it| String::from_utf8_lossy(it).contains(text));
            let its: Vec<&[u8]> = its.map(AsRef::as_ref).collect();
            let count = format!("{} deliveries\n", its.len());
            reply(200, Full::new([count.as_bytes(), &its.join(&b"\n---\n"[..])].concat().into()).boxed())
        }
        ("turns", statuses) => {
            let statuses = statuses.to_owned();
            let description = describe(request).await?;
            let (number, status) = turn(&received, &statuses, &description);
            let text = String::from_utf8_lossy(&description).into_owned();
            let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
            let line = head.lines().next().unwrap_or_default();
            reply(status, Full::new(format!("call {number}\n{line}\n{body}").into()).boxed())
        }
        ("slow", millis) => {
            tokio::time::sleep(std::time::Duration::from_millis(millis.parse().unwrap_or(0))).await;
            reply(200, Full::new(Bytes::from_static(b"slow")).boxed())
        }
        ("status", code) => {
            let code = code.parse().unwrap_or(500);
            let description = describe(request).await?;
            reply(code, Full::new(description).boxed())
        }
        ("untyped", code) => untyped(code.parse().unwrap_or(200), Full::new(Bytes::from_static(b"<p>hello")).boxed()),
        ("empty", _) => reply(200, Full::new(Bytes::new()).boxed()),
        ("chunks", _) => {
            let frames = ["one ", "two ", "three"].map(|it| Ok(Frame::data(Bytes::from_static(it.as_bytes()))));
            reply(200, BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))))
        }
        ("big", size) => {
            let size = size.parse().unwrap_or(0);
            reply(200, Full::new(Bytes::from(vec![b'x'; size])).boxed())
        }
        ("headers", _) => with_odd_headers(),
        ("redirect", _) => {
            let mut answer = reply(302, Full::new(Bytes::new()).boxed());
            answer.headers_mut().insert("location", http::HeaderValue::from_static("/elsewhere"));
            answer
        }
        ("bytes", _) => {
            let mut answer = reply(200, Full::new(Bytes::from_static(&[0, 159, 146, 150, 255])).boxed());
            answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/octet-stream"));
            answer
        }
        _ => {
            let description = describe(request).await?;
            reply(200, Full::new(description).boxed())
        }
    };
    Ok(reply)
}

/// Records a request, and returns its number among those of its path and the status for it: one of `statuses` in turn.
fn turn(received: &Received, statuses: &str, description: &Bytes) -> (usize, u16) {
    let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
    received.push(description.clone());
    // daprd adds to the forwarding headers with each attempt.
    let line = |text: &Bytes| text.split(|byte| *byte == b'\n').next().map(<[u8]>::to_vec);
    let number = received.iter().filter(|other| line(other) == line(description)).count();
    let status = statuses.split(',').nth(number - 1).and_then(|status| status.parse().ok());
    (number, status.unwrap_or(500))
}

/// Answers a message with the status code `how`, with `how` as the message's status, or, if it is `bulk`, with the
/// status that each message asks for.
fn reception(how: &str, description: &[u8]) -> Reply {
    if let Ok(code) = how.parse() {
        return reply(code, Full::new(Bytes::new()).boxed());
    }
    let statuses = match how {
        "bulk" => bulk_statuses(description),
        how => serde_json::json!({ "status": how }),
    };
    reply(200, Full::new(Bytes::from(statuses.to_string())).boxed())
}

fn bulk_statuses(description: &[u8]) -> serde_json::Value {
    let text = String::from_utf8_lossy(description);
    let body = text.split_once("\n\n").map_or("", |(_, body)| body);
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let status = |entry: &serde_json::Value| {
        let asked = entry.pointer("/event/data/answer").and_then(serde_json::Value::as_str).unwrap_or("SUCCESS");
        serde_json::json!({ "entryId": entry.get("entryId"), "status": asked })
    };
    let entries = body.get("entries").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    serde_json::json!({ "statuses": entries.iter().map(status).collect::<Vec<_>>() })
}

fn reply(status: u16, body: BoxBody<Bytes, Infallible>) -> Reply {
    let mut response = untyped(status, body);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
    response
}

/// Creates a response without a content type.
fn untyped(status: u16, body: BoxBody<Bytes, Infallible>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn with_odd_headers() -> Reply {
    let mut response = reply(200, Full::new(Bytes::from_static(b"{}")).boxed());
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in [
        ("x-one", "1"),
        ("x-two", "a"),
        ("x-two", "b"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
        ("x-data-bin", "AAE="),
        ("grpc-status", "3"),
        ("dapr-own", "x"),
        ("te", "trailers"),
        ("proxy-authenticate", "Basic"),
        ("x-empty", ""),
        ("etag", "\"v1\""),
        ("server", "echo"),
    ] {
        if let Ok(name) = http::HeaderName::from_bytes(name.as_bytes()) {
            headers.append(name, http::HeaderValue::from_static(value));
        }
    }
    response
}

/// Matches framing headers, and the defaults of Go's HTTP client.
fn is_client_default(line: &str) -> bool {
    line.starts_with("content-length:")
        || line.starts_with("transfer-encoding:")
        || line == "accept-encoding: gzip"
        || line == "user-agent: Go-http-client/1.1"
}

/// Formats the request line, the headers in alphabetical order, and the body.
async fn describe(request: Request<Incoming>) -> Result<Bytes, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut headers: Vec<String> = parts
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .filter(|line| !is_client_default(line))
        .collect();
    headers.sort();
    let mut text = format!("{} {}\n{}\n\n", parts.method, parts.uri, headers.join("\n"));
    if body.len() > MAX_ECHOED_BYTES {
        let sum = body.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        // Writing to a string cannot fail.
        let _ = write!(text, "{} bytes, sum {sum}", body.len());
    } else {
        text.push_str(&String::from_utf8_lossy(&body));
    }
    Ok(Bytes::from(text))
}
