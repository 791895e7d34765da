//! `state.redis` when its server becomes unavailable. `store-conformance` tests its regular behaviour.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dapr_building_blocks::StateError;
use dapr_building_blocks::state::{GetRequest, SetRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::{create, try_create};
use test_servers::{Server, free_port};

pub(crate) fn redis_on(port: u16) -> Option<Server> {
    Server::start_on(port, "redis-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.display().to_string()];
        ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir", &folder].map(str::to_owned).to_vec()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_server_is_reported_and_reconnected() {
    let Some(server) = redis_on(free_port()) else { return };
    let port = server.port;
    let host = format!("127.0.0.1:{port}");
    let store = create("state.redis", &[("redisHost", &host)]).await.state_store.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();

    drop(server);
    let error = store.get(GetRequest::new("k")).await.unwrap_err();
    assert!(matches!(error, StateError::Unavailable(_)), "{error:?}");

    let _again = redis_on(port);
    while store.ping().await.is_err() {}
    store.set(SetRequest::new("k", "w")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_lost_while_idle_fails_no_request() {
    let Some(mut server) = redis_on(free_port()) else { return };
    let store =
        create("state.redis", &[("redisHost", &format!("127.0.0.1:{}", server.port))]).await.state_store.unwrap();
    for round in 0..5 {
        let mut request = SetRequest::new(format!("k{round}"), "v");
        request.etag = Some("1".to_owned());
        store.set(request).await.unwrap();
        server.kill();
        server.restart();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_waits_for_unavailable_server() {
    let Some(mut server) = redis_on(free_port()) else { return };
    let host = format!("127.0.0.1:{}", server.port);
    // More retries than usual, as a server takes time to start.
    let store = create("state.redis", &[("redisHost", &host), ("redisMaxRetries", "100")]).await.state_store.unwrap();
    server.kill();
    let request = tokio::spawn({
        let store = store.clone();
        async move { store.set(SetRequest::new("k", "v")).await }
    });
    // The server takes a while until it listens; the request is in progress by then.
    let starting = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    request.await.unwrap().unwrap();
    // Keeps the server alive; dropping it would stop it.
    let _server = starting.await.unwrap();
    assert_eq!(store.get(GetRequest::new("k")).await.unwrap().unwrap().value, "v");
}

#[tokio::test(flavor = "multi_thread")]
async fn error_of_earlier_attempt_is_never_reported() {
    let Some(mut server) = redis_on(free_port()) else { return };
    let host = format!("127.0.0.1:{}", server.port);
    let store = create("state.redis", &[("redisHost", &host), ("redisMaxRetries", "-1")]).await.state_store.unwrap();
    for _ in 0..3 {
        server.kill();
        assert!(matches!(store.get(GetRequest::new("k")).await, Err(StateError::Unavailable(_))));
        server.restart();
        store.get(GetRequest::new("k")).await.unwrap();
    }
}

/// Starts a server that accepts everything but scripts, at which it hangs up; counts those.
async fn hangs_up_at_scripts() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, scripts) = (listener.local_addr().unwrap().to_string(), Arc::<AtomicUsize>::default());
    let counted = scripts.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                if text.contains("EVALSHA") {
                    counted.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                let commands = text.lines().filter(|line| line.starts_with('*')).count();
                let answers = "+OK\r\n".repeat(commands);
                stream.write_all(answers.as_bytes()).await.unwrap();
            }
        }
    });
    (address, scripts)
}

#[tokio::test(flavor = "multi_thread")]
async fn write_with_etag_is_not_sent_twice() {
    let (host, scripts) = hangs_up_at_scripts().await;
    let store = create("state.redis", &[("redisHost", &host)]).await.state_store.unwrap();
    let mut request = SetRequest::new("k", "v");
    request.etag = Some("1".to_owned());
    assert!(matches!(store.set(request).await, Err(StateError::Unavailable(_))));
    assert_eq!(scripts.swap(0, Ordering::Relaxed), 1);
    // A write without an etag is resent, as often as in Dapr's client.
    assert!(store.set(SetRequest::new("k", "v")).await.is_err());
    assert_eq!(scripts.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn unreachable_redis_is_retryable() {
    let host = format!("127.0.0.1:{}", free_port());
    let error = try_create("state.redis", &[("redisHost", &host), ("redisMaxRetries", "0")]).await.err().unwrap();
    assert!(error.is_retryable(), "{error}");
}
