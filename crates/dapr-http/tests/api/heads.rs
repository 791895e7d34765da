//! How long a client may take over the head of a request, in time that passes only when nothing else is left to do.

use std::time::Duration;

use http::{Request, Response};
use sidecar::{Body, full_body};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// The client's end of a connection to a server that reads a body and answers.
fn connect() -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let answer = async |request: Request<Body>| {
        http_body_util::BodyExt::collect(request.into_body()).await.unwrap();
        Response::new(full_body("answer"))
    };
    let answer = move |request| Box::pin(answer(request));
    tokio::spawn(dapr_http::speak(theirs, CancellationToken::new(), answer));
    ours
}

async fn send(stream: &mut DuplexStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn answered(stream: &mut DuplexStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"answer") {
        let byte = timeout(HOUR, stream.read_u8()).await.unwrap();
        answer.push(byte.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer))));
    }
}

/// How long it takes until the server closes, without a word.
async fn closed(stream: &mut DuplexStream) -> Duration {
    let start = Instant::now();
    assert_eq!(timeout(HOUR, stream.read(&mut [0])).await.unwrap().unwrap(), 0);
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_comes_is_closed() {
    assert!(closed(&mut connect()).await.abs_diff(PATIENCE) < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_first_head_that_comes_byte_by_byte_is_not_waited_for_longer() {
    for (first, second) in [("G", "E"), ("GET / HTTP/1.1\r\nhost: ", "a"), ("PRI * HTTP/2.0\r\n", "\r")] {
        let mut stream = connect();
        sleep(PATIENCE / 2).await;
        send(&mut stream, first).await;
        sleep(PATIENCE / 4).await;
        send(&mut stream, second).await;
        assert!(closed(&mut stream).await.abs_diff(PATIENCE / 4) < Duration::from_millis(10), "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn between_requests_a_client_may_wait_for_ever() {
    let mut stream = connect();
    for between in ["", "\r\n", "\r\n"] {
        send(&mut stream, HEAD).await;
        answered(&mut stream).await;
        send(&mut stream, between).await;
        sleep(HOUR).await;
    }
    send(&mut stream, HEAD).await;
    answered(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn a_later_head_has_its_time_from_its_first_bytes_on() {
    let mut stream = connect();
    send(&mut stream, HEAD).await;
    answered(&mut stream).await;
    sleep(HOUR).await;
    let (begin, end) = HEAD.split_at(10);
    send(&mut stream, begin).await;
    sleep(PATIENCE / 2).await;
    send(&mut stream, end).await;
    answered(&mut stream).await;
    sleep(HOUR).await;
    send(&mut stream, begin).await;
    sleep(PATIENCE / 2).await;
    send(&mut stream, &end[..5]).await;
    assert!(closed(&mut stream).await.abs_diff(PATIENCE / 2) < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_body_and_its_answer_may_take_longer() {
    let mut stream = connect();
    send(&mut stream, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n").await;
    for piece in ["a", "b"] {
        sleep(HOUR).await;
        send(&mut stream, piece).await;
    }
    answered(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_came_with_the_request_before_is_answered() {
    let mut stream = connect();
    send(&mut stream, &HEAD.repeat(2)).await;
    answered(&mut stream).await;
    answered(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_http_2_may_wait_for_ever() {
    let mut stream = connect();
    send(&mut stream, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let settings = timeout(HOUR, async { while stream.read(&mut [0; 64]).await.unwrap() > 0 {} }).await;
    assert!(settings.is_err(), "it was closed");
}

async fn whole_answer(request: &str) -> String {
    let mut stream = connect();
    send(&mut stream, request).await;
    let mut answer = String::new();
    timeout(HOUR, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn request_without_host_or_with_two_is_refused_and_closed() {
    for (hosts, said) in [("", "missing required Host header"), ("host: a\r\nhost: b\r\n", "too many Host headers")] {
        let answer = whole_answer(&format!("GET / HTTP/1.1\r\n{hosts}\r\n{HEAD}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.ends_with(said), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    let old = whole_answer("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
}

#[tokio::test(start_paused = true)]
async fn request_with_two_lengths_is_the_last_on_its_connection() {
    for lengths in
        ["content-length: 4\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 4\r\n"]
    {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{lengths}\r\n0\r\n\r\n{HEAD}");
        let answer = whole_answer(&request).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}
