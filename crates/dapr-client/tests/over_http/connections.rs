//! Keep-alive connections, closed connections, and missing responses.

use std::time::Duration;

use dapr_client::{Dapr, Endpoint, Error};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1";

async fn listen() -> (TcpListener, Dapr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dapr = Dapr::connect(Endpoint::local(listener.local_addr().unwrap().port()));
    (listener, dapr)
}

async fn read_request(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    assert!(stream.read(&mut buffer).await.unwrap() > 0);
}

/// Responds once, accepts a second request on the same connection, and closes it without a response.
async fn answer_once_then_close(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    read_request(&mut stream).await;
    stream.write_all(ANSWER).await.unwrap();
    read_request(&mut stream).await;
}

#[tokio::test]
async fn read_on_a_closed_connection_is_retried() {
    let (listener, dapr) = listen().await;
    let server = tokio::spawn(async move {
        answer_once_then_close(&listener).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
    });
    let store = dapr.state("store");
    assert_eq!(store.get::<u8>("first").await.unwrap().unwrap().value, 1);
    assert_eq!(store.get::<u8>("second").await.unwrap().unwrap().value, 1);
    server.await.unwrap();
}

#[tokio::test]
async fn invocation_that_may_have_run_is_not_retried() {
    let (listener, dapr) = listen().await;
    tokio::spawn(async move {
        answer_once_then_close(&listener).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(ANSWER).await.unwrap();
    });
    dapr.invoke("app", Method::POST, "pay").send().await.unwrap();
    let error = dapr.invoke("app", Method::POST, "pay").send().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn idempotent_invocation_is_retried() {
    let (listener, dapr) = listen().await;
    tokio::spawn(async move {
        answer_once_then_close(&listener).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(ANSWER).await.unwrap();
    });
    dapr.invoke("app", Method::POST, "record").repeatable().send().await.unwrap();
    let again = dapr.invoke("app", Method::POST, "record").repeatable().send().await.unwrap();
    assert_eq!(&again.body()[..], b"1");
}

#[tokio::test]
async fn silent_server_times_out() {
    let (_listener, dapr) = listen().await;
    let error = dapr.with_deadline(Duration::from_millis(20)).health().await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error}");
}

#[tokio::test]
async fn too_large_response_is_rejected() {
    let (listener, dapr) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
        while stream.write_all(&chunk).await.is_ok() {}
    });
    let error = dapr.metadata().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}
