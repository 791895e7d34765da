//! `state.redis` when its server goes away. That it does what a store must is `store-conformance`'s to show.

use building_blocks::StateError;
use building_blocks::state::{GetRequest, SetRequest};

use crate::harness::{create, try_create};
use test_servers::{Server, free_port};

fn redis_on(port: u16) -> Option<Server> {
    Server::start_on(port, "redis-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.display().to_string()];
        ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir", &folder].map(str::to_owned).to_vec()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn state_redis_reports_a_lost_server_and_comes_back_with_it() {
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

#[tokio::test]
async fn a_redis_that_is_down_can_be_tried_again() {
    let host = format!("127.0.0.1:{}", free_port());
    let error = try_create("state.redis", &[("redisHost", &host), ("redisMaxRetries", "0")]).await.err().unwrap();
    assert!(error.is_retryable(), "{error}");
}
