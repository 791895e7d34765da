//! A service over real HTTP, through the native edge.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use http::StatusCode;
use service_kit::{ClientAddress, Description, EdgeSettings, Environment, Log, Service, edge};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Responds with the size of the body and the address of its user.
async fn weigh(ClientAddress(user): ClientAddress, body: Bytes) -> String {
    format!("{} from {user}", body.len())
}

struct Quiet;

impl Log for Quiet {
    fn line(&self, _: &str) {}
}

const LIMIT: usize = 1000;

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = EdgeSettings::read(&mut Environment::new(&|_| None), 0, LIMIT);
    let routes = Router::new().route("/weigh", post(weigh));
    let description = Description { name: "scales", about: "Weighs", endpoints: &[] };
    let service = Service::new(description, settings, routes).with_log(std::sync::Arc::new(Quiet));
    tokio::spawn(edge::serve(service.into_router(), listener));
    address
}

/// Sends bytes, and reads until the server closes the connection or `end` arrives.
async fn exchange(stream: &mut TcpStream, sent: &[u8], end: &str) -> String {
    stream.write_all(sent).await.unwrap();
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).ends_with(end) {
        if stream.read_buf(&mut received).await.unwrap() == 0 {
            break;
        }
    }
    String::from_utf8(received).unwrap()
}

fn status(response: &str) -> StatusCode {
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn body_and_peer_address_reach_the_service() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    let request = b"POST /weigh HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";
    let response = exchange(&mut stream, request, "5 from 127.0.0.1").await;
    assert_eq!(status(&response), StatusCode::OK);
    assert!(response.ends_with("5 from 127.0.0.1"), "{response}");
}

#[tokio::test]
async fn announced_length_over_limit_is_rejected_before_sending() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    let request = b"POST /weigh HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n";
    let response = exchange(&mut stream, request, "}").await;
    assert_eq!(status(&response), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn chunked_body_is_rejected_once_it_passes_the_limit() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    let mut request = b"POST /weigh HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..3 {
        request.extend_from_slice(b"190\r\n");
        request.extend_from_slice(&[b'x'; 0x190]);
        request.extend_from_slice(b"\r\n");
    }
    let response = exchange(&mut stream, &request, "}").await;
    assert_eq!(status(&response), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn connection_is_kept_open_after_an_error() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    let lost = exchange(&mut stream, b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", "}").await;
    assert_eq!(status(&lost), StatusCode::NOT_FOUND);
    let found = exchange(&mut stream, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", "}").await;
    assert_eq!(status(&found), StatusCode::OK);
}

#[tokio::test]
async fn body_of_a_missing_path_is_read_and_answered() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    let mut request = b"POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\n".to_vec();
    request.resize(request.len() + 5_000_000, b'x');
    let response = exchange(&mut stream, &request, "}").await;
    assert_eq!(status(&response), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn request_with_two_hosts_is_rejected_and_closes() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    let response = exchange(&mut stream, b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", "}").await;
    assert_eq!(status(&response), StatusCode::BAD_REQUEST);
    assert!(response.contains("connection: close"), "{response}");
}
