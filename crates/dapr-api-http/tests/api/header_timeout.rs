//! Header timeouts, with a paused clock that advances only when all tasks are idle.

use std::time::Duration;

use dapr_runtime::{Body, full_body};
use http::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// Connects to a server that reads a body and responds.
fn connect() -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let respond = async |request: Request<Body>| {
        http_body_util::BodyExt::collect(request.into_body()).await.unwrap();
        Response::new(full_body("response"))
    };
    let respond = move |request| Box::pin(respond(request));
    tokio::spawn(dapr_api_http::serve_http(theirs, CancellationToken::new(), respond));
    ours
}

async fn send(stream: &mut DuplexStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn expect_response(stream: &mut DuplexStream) {
    let mut response = Vec::new();
    while !response.ends_with(b"response") {
        let byte = timeout(HOUR, stream.read_u8()).await.unwrap();
        response.push(byte.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&response))));
    }
}

/// Waits until the server closes without a response; returns how long that took.
async fn closed(stream: &mut DuplexStream) -> Duration {
    let start = Instant::now();
    assert_eq!(timeout(HOUR, stream.read(&mut [0])).await.unwrap().unwrap(), 0);
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn silent_connection_is_closed() {
    assert!(closed(&mut connect()).await.abs_diff(HEADER_READ_TIMEOUT) < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn slow_first_header_times_out_from_connection_start() {
    for (first, second) in [("G", "E"), ("GET / HTTP/1.1\r\nhost: ", "a"), ("PRI * HTTP/2.0\r\n", "\r")] {
        let mut stream = connect();
        sleep(HEADER_READ_TIMEOUT / 2).await;
        send(&mut stream, first).await;
        sleep(HEADER_READ_TIMEOUT / 4).await;
        send(&mut stream, second).await;
        assert!(closed(&mut stream).await.abs_diff(HEADER_READ_TIMEOUT / 4) < Duration::from_millis(10), "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn idle_keep_alive_connection_stays_open() {
    let mut stream = connect();
    for between in ["", "\r\n", "\r\n"] {
        send(&mut stream, REQUEST).await;
        expect_response(&mut stream).await;
        send(&mut stream, between).await;
        sleep(HOUR).await;
    }
    send(&mut stream, REQUEST).await;
    expect_response(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn later_header_times_out_from_its_first_bytes() {
    let mut stream = connect();
    send(&mut stream, REQUEST).await;
    expect_response(&mut stream).await;
    sleep(HOUR).await;
    let (begin, end) = REQUEST.split_at(10);
    send(&mut stream, begin).await;
    sleep(HEADER_READ_TIMEOUT / 2).await;
    send(&mut stream, end).await;
    expect_response(&mut stream).await;
    sleep(HOUR).await;
    send(&mut stream, begin).await;
    sleep(HEADER_READ_TIMEOUT / 2).await;
    send(&mut stream, &end[..5]).await;
    assert!(closed(&mut stream).await.abs_diff(HEADER_READ_TIMEOUT / 2) < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn slow_body_has_no_timeout() {
    let mut stream = connect();
    send(&mut stream, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n").await;
    for piece in ["a", "b"] {
        sleep(HOUR).await;
        send(&mut stream, piece).await;
    }
    expect_response(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn pipelined_request_is_served() {
    let mut stream = connect();
    send(&mut stream, &REQUEST.repeat(2)).await;
    expect_response(&mut stream).await;
    expect_response(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn http_2_connection_may_idle() {
    let mut stream = connect();
    send(&mut stream, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let settings = timeout(HOUR, async { while stream.read(&mut [0; 64]).await.unwrap() > 0 {} }).await;
    assert!(settings.is_err(), "it was closed");
}

async fn read_response(request: &str) -> String {
    let mut stream = connect();
    send(&mut stream, request).await;
    let mut response = String::new();
    timeout(HOUR, stream.read_to_string(&mut response)).await.unwrap().unwrap();
    response
}

#[tokio::test(start_paused = true)]
async fn request_without_exactly_one_host_is_rejected_and_closed() {
    for (hosts, said) in [("", "missing required Host header"), ("host: a\r\nhost: b\r\n", "too many Host headers")] {
        let response = read_response(&format!("GET / HTTP/1.1\r\n{hosts}\r\n{REQUEST}")).await;
        assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n") && response.ends_with(said), "{response}");
        assert!(response.contains("connection: close\r\n"), "{response}");
    }
    let old = read_response("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
}

#[tokio::test(start_paused = true)]
async fn request_with_two_lengths_is_the_last_on_its_connection() {
    for lengths in
        ["content-length: 4\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 4\r\n"]
    {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{lengths}\r\n0\r\n\r\n{REQUEST}");
        let response = read_response(&request).await;
        assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{response}");
        assert!(response.contains("connection: close\r\n"), "{response}");
    }
}
