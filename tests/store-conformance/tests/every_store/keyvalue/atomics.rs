//! Features of `wasi:keyvalue` that state stores lack: has_compare_and_swap of absent keys, numbers, lists of keys.

use futures_util::future::join_all;

use super::clients_of;
use super::provider::{CasError, Error, Instance, Provider, sidecar};
use crate::stores;

/// Runs `check` on all implementations of `wasi:keyvalue`, with several clients if they can share a bucket.
async fn each(check: impl AsyncFn(&str, &mut [Instance])) {
    check("in-memory", &mut clients_of(stores::native("state.in-memory", &[]).await).await).await;
    check("wasm in-memory", &mut clients_of(stores::wasm("state-in-memory").await).await).await;
    let memory: &[(&str, &str)] = &[("connectionString", ":memory:")];
    check("sqlite", &mut clients_of(stores::native("state.sqlite", memory).await).await).await;
    let components: [&[&str]; 2] = [&["keyvalue"], &["keyvalue-on-state", "state-in-memory"]];
    for names in components {
        check(names[0], &mut [Provider::get(names).instance(&sidecar(None), &[]).await]).await;
    }
    if let Some(server) = stores::redis_server() {
        let host = format!("127.0.0.1:{}", server.port);
        check("redis", &mut clients_of(stores::native("state.redis", &[("redisHost", &host)]).await).await).await;
        check("wasm redis", &mut clients_of(stores::wasm_redis(&host, "1").await).await).await;
        let (provider, sidecar) = (Provider::get(&["keyvalue-on-state", "state-redis"]), sidecar(None));
        let environment = [("STATE_REDISHOST", &*host), ("STATE_REDISDB", "2")];
        let one = provider.instance(&sidecar, &environment).await;
        let other = provider.instance(&sidecar, &environment).await;
        check("keyvalue-on-state, state-redis", &mut [one, other]).await;
    }
}

/// Returns the first and the last client, which may be the same.
fn two(clients: &[Instance]) -> (usize, usize) {
    (0, clients.len() - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn swap_of_absent_key_fails_once_it_exists() {
    each(async |name, clients| {
        let (one, other) = two(clients);
        let cas = clients[one].cas("k").await.unwrap();
        assert_eq!(clients[one].current(cas).await.unwrap(), None, "{name}");
        clients[other].set("k", b"meanwhile").await.unwrap();
        let Err(CasError::CasFailed(again)) = clients[one].swap(cas, b"lost").await else { panic!("{name}") };
        assert_eq!(clients[one].current(again).await.unwrap().unwrap(), b"meanwhile", "{name}");
        clients[one].swap(again, b"won").await.unwrap();
        assert_eq!(clients[other].get("k").await.unwrap().unwrap(), b"won", "{name}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_value_can_be_written_and_incremented() {
    each(async |name, clients| {
        let (one, other) = two(clients);
        let cas = clients[one].cas("k").await.unwrap();
        clients[one].swap(cas, b"40").await.unwrap();
        assert_eq!(clients[other].increment("k", 2).await.unwrap(), 42, "{name}");
        clients[one].set("k", b"word").await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(matches!(clients[other].increment("k", 1).await, Err(Error::Other(_))), "{name}");
        clients[one].delete("k").await.unwrap();
        assert_eq!(clients[other].increment("k", -1).await.unwrap(), -1, "{name}");
        clients[one].set("k", i64::MAX.to_string().as_bytes()).await.unwrap();
        assert!(matches!(clients[other].increment("k", 1).await, Err(Error::Other(_))), "{name}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_increments_are_not_lost() {
    each(async |name, clients| {
        let count = clients.len() as i64;
        join_all(clients.iter_mut().map(async |client| {
            for _ in 0..25 {
                client.increment("count", 1).await.unwrap();
            }
        }))
        .await;
        assert_eq!(clients[0].increment("count", 0).await.unwrap(), count * 25, "{name}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_keys_returns_existing_keys() {
    each(async |name, clients| {
        let (one, other) = two(clients);
        if name.starts_with("keyvalue") {
            let odd = ["", " ", "a/b", "ü\u{1f32d}"].map(str::to_owned);
            clients[one].set_many(&odd.clone().map(|key| (key, vec![0, 0xff]))).await.unwrap();
            clients[one].increment("number", 1).await.unwrap();
            let cas = clients[one].cas("number").await.unwrap();
            clients[other].delete("number").await.unwrap();
            // The swap succeeds only on Redis.
            let swapped = clients[one].swap(cas, b"2").await.is_ok();
            let listed = clients[other].list_keys(None).await.unwrap();
            let there = odd.into_iter().chain(swapped.then(|| "number".to_owned()));
            assert!(
                listed.cursor.is_none() && sorted(listed.keys.clone()) == sorted(there.collect()),
                "{name}: {listed:?}"
            );
        } else {
            let refused = clients[one].list_keys(None).await;
            assert!(matches!(&refused, Err(Error::Other(why)) if why.contains("cannot list")), "{name}: {refused:?}");
        }
    })
    .await;
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}
