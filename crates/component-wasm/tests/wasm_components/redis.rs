//! `state-redis` against broken or hostile servers.
//!
//! Each call gets an error, in time, and the next one succeeds.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use component_wasm::{OpenError, Options, WasmStateStore};
use dapr_building_blocks::state::GetRequest;
use dapr_building_blocks::{StateError, StateStore as _};

use crate::support::{module, read};

const SECRET: &str = "hunter2";
/// Replies to a new store's `AUTH` and `INFO`.
const WELCOME: [&str; 2] = ["+OK\r\n", "+none\r\n"];
/// Reply with a value and its version.
const FOUND: &str = "*2\r\n$1\r\nv\r\n$1\r\n1\r\n";
/// Replies to a store that reconnects and reads.
const AGAIN: [&str; 2] = ["+OK\r\n", FOUND];
/// Closes the connection.
const BYE: &str = "";

/// Starts a server that replies with its texts in order, then goes silent.
///
/// Each request of a connection gets the next text.
fn server(connections: Vec<Vec<&'static str>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for texts in connections {
            let (mut stream, _) = listener.accept().unwrap();
            answer(&mut stream, texts);
            open.push(stream);
        }
        std::thread::park();
    });
    port
}

fn answer(stream: &mut TcpStream, texts: Vec<&str>) {
    for text in texts {
        if text == BYE {
            return stream.shutdown(std::net::Shutdown::Both).unwrap();
        }
        if stream.read(&mut [0; 4096]).unwrap() == 0 {
            return;
        }
        stream.write_all(text.as_bytes()).unwrap();
    }
}

fn welcomed(texts: &[&'static str]) -> Vec<&'static str> {
    [&WELCOME, texts].concat()
}

async fn open(port: u16) -> Result<WasmStateStore, OpenError> {
    let mut options = Options::named("redis");
    let host = format!("localhost:{port}");
    let properties = [("redisHost", &*host), ("redisPassword", SECRET), ("readTimeout", "300ms")];
    options.properties = properties.into_iter().collect();
    options.grants.hosts = vec![host.parse().unwrap()];
    options.limits.instances = 1;
    WasmStateStore::open(&module("state-redis"), options).await
}

/// Returns the error of a first read with this reply. The second read finds a good server.
async fn failure(answer: &'static str) -> StateError {
    let port = server(vec![welcomed(&[answer]), AGAIN.to_vec()]);
    let store = open(port).await.unwrap();
    let start = Instant::now();
    let error = store.get(GetRequest::new("k")).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5), "{answer:?} held a call for {:?}", start.elapsed());
    assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"), "after {answer:?}");
    error
}

#[tokio::test]
async fn silent_server_times_out() {
    for answer in ["$", "$9223372036854775807\r\nabc", "$4294967295\r\n", "*2147483647\r\n$1\r\n1\r\n", "+no end"] {
        let error = failure(answer).await;
        assert!(matches!(&error, StateError::Unavailable(why) if why.to_string().contains("in time")), "{error:?}");
    }
}

#[tokio::test]
async fn malformed_reply_is_an_error_and_drops_the_connection() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "$-2x\r\n", "*-1x\r\n", "\r\n\r\n", "%-1\r\n", "|-1\r\n"] {
        let error = failure(answer).await;
        assert!(!error.to_string().contains("trapped"), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn reply_of_another_type_is_just_an_error() {
    for answer in [":1\r\n", "*0\r\n", "*1\r\n$1\r\nv\r\n", "*2\r\n$1\r\nv\r\n$-1\r\n"] {
        let store = open(server(vec![welcomed(&[answer, FOUND])])).await.unwrap();
        let error = store.get(GetRequest::new("k")).await.unwrap_err();
        assert!(!error.to_string().contains("trapped"), "{answer:?}: {error}");
        assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"), "after {answer:?}");
    }
}

#[tokio::test]
async fn connection_closed_while_idle_is_reopened() {
    let port = server(vec![welcomed(&[FOUND, BYE]), AGAIN.to_vec()]);
    let store = open(port).await.unwrap();
    for _ in 0..2 {
        assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn rejected_password_is_misconfiguration_and_hidden() {
    let refusal = "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n";
    let error = open(server(vec![vec![refusal]])).await.err().unwrap();
    assert!(matches!(error, OpenError::Misconfigured(_)), "{error}");
    assert!(error.to_string().contains("redisPassword") && !error.to_string().contains(SECRET), "{error}");
}

#[tokio::test]
async fn full_or_missing_server_is_retryable() {
    let full = open(server(vec![vec!["-ERR max number of clients reached\r\n"]])).await.err().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for error in [full, open(gone).await.err().unwrap()] {
        assert!(error.is_retryable(), "{error}");
    }
}
