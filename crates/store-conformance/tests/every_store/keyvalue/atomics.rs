//! What `wasi:keyvalue` has and a state store has not: swaps of what was absent, numbers, lists of keys.

use futures_util::future::join_all;

use super::provider::{CasError, Error, Instance, Provider, sidecar};
use super::users_of;
use crate::stores;

/// Runs `check` on everything that answers `wasi:keyvalue`, with several users where they can share a bucket.
async fn each(check: impl AsyncFn(&str, &mut [Instance])) {
    check("in-memory", &mut users_of(stores::native("state.in-memory", &[]).await).await).await;
    check("wasm in-memory", &mut users_of(stores::wasm("state-in-memory").await).await).await;
    let memory: &[(&str, &str)] = &[("connectionString", ":memory:")];
    check("sqlite", &mut users_of(stores::native("state.sqlite", memory).await).await).await;
    let components: [&[&str]; 2] = [&["keyvalue"], &["keyvalue-on-state", "state-in-memory"]];
    for names in components {
        check(names[0], &mut [Provider::of(names).instance(&sidecar(None), &[]).await]).await;
    }
    if let Some(server) = stores::redis_server() {
        let host = format!("127.0.0.1:{}", server.port);
        check("redis", &mut users_of(stores::native("state.redis", &[("redisHost", &host)]).await).await).await;
        check("wasm redis", &mut users_of(stores::wasm_redis(&host, "1").await).await).await;
        let (provider, sidecar) = (Provider::of(&["keyvalue-on-state", "state-redis"]), sidecar(None));
        let environment = [("STATE_REDISHOST", &*host), ("STATE_REDISDB", "2")];
        let one = provider.instance(&sidecar, &environment).await;
        let other = provider.instance(&sidecar, &environment).await;
        check("keyvalue-on-state, state-redis", &mut [one, other]).await;
    }
}

/// The first user and the last, who may be the same.
fn two(users: &[Instance]) -> (usize, usize) {
    (0, users.len() - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_absent_is_swapped_only_while_it_is() {
    each(async |name, users| {
        let (one, other) = two(users);
        let cas = users[one].cas("k").await.unwrap();
        assert_eq!(users[one].current(cas).await.unwrap(), None, "{name}");
        users[other].set("k", b"meanwhile").await.unwrap();
        let Err(CasError::CasFailed(again)) = users[one].swap(cas, b"lost").await else { panic!("{name}") };
        assert_eq!(users[one].current(again).await.unwrap().unwrap(), b"meanwhile", "{name}");
        users[one].swap(again, b"won").await.unwrap();
        assert_eq!(users[other].get("k").await.unwrap().unwrap(), b"won", "{name}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_swapped_can_be_written_and_counted_as_anything_else() {
    each(async |name, users| {
        let (one, other) = two(users);
        let cas = users[one].cas("k").await.unwrap();
        users[one].swap(cas, b"40").await.unwrap();
        assert_eq!(users[other].increment("k", 2).await.unwrap(), 42, "{name}");
        users[one].set("k", b"word").await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(matches!(users[other].increment("k", 1).await, Err(Error::Other(_))), "{name}");
        users[one].delete("k").await.unwrap();
        assert_eq!(users[other].increment("k", -1).await.unwrap(), -1, "{name}");
        users[one].set("k", i64::MAX.to_string().as_bytes()).await.unwrap();
        assert!(matches!(users[other].increment("k", 1).await, Err(Error::Other(_))), "{name}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_increment_of_users_at_once_is_lost() {
    each(async |name, users| {
        let count = users.len() as i64;
        join_all(users.iter_mut().map(async |user| {
            for _ in 0..25 {
                user.increment("count", 1).await.unwrap();
            }
        }))
        .await;
        assert_eq!(users[0].increment("count", 0).await.unwrap(), count * 25, "{name}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lists_keys_lists_those_that_are_there() {
    each(async |name, users| {
        let (one, other) = two(users);
        if name.starts_with("keyvalue") {
            let odd = ["", " ", "a/b", "ü\u{1f32d}"].map(str::to_owned);
            users[one].set_many(&odd.clone().map(|key| (key, vec![0, 0xff]))).await.unwrap();
            users[one].increment("number", 1).await.unwrap();
            let cas = users[one].cas("number").await.unwrap();
            users[other].delete("number").await.unwrap();
            // With or without Redis's leave, which lets it pass.
            let swapped = users[one].swap(cas, b"2").await.is_ok();
            let listed = users[other].list_keys(None).await.unwrap();
            let there = odd.into_iter().chain(swapped.then(|| "number".to_owned()));
            assert!(
                listed.cursor.is_none() && sorted(listed.keys.clone()) == sorted(there.collect()),
                "{name}: {listed:?}"
            );
        } else {
            let refused = users[one].list_keys(None).await;
            assert!(matches!(&refused, Err(Error::Other(why)) if why.contains("cannot list")), "{name}: {refused:?}");
        }
    })
    .await;
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}
