//! Time to live. Expiry is polled, so that no case depends on the speed of the machine.

use std::time::{Duration, Instant};

use crate::subject::{Subject, first_write, with_ttl};
use dapr_building_blocks::StateError;
use dapr_building_blocks::state::{GetRequest, TTL_EXPIRE_TIME};

const POLL_INTERVAL: Duration = Duration::from_millis(5);

async fn wait_until_absent(s: &Subject, name: &str) {
    let start = Instant::now();
    while s.get(name).await.is_some() {
        assert!(start.elapsed() < s.declared.expiry_timeout, "still there after {:?}", s.declared.expiry_timeout);
        // Blocks, as the suite does not depend on a runtime with timers.
        std::thread::sleep(POLL_INTERVAL);
    }
}

pub(crate) async fn value_without_ttl_has_no_expiry(s: Subject) {
    s.put("k", "v").await;
    assert!(s.get("k").await.unwrap().metadata.is_empty());
}

pub(crate) async fn value_with_ttl_exists_before_expiry(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "3600")).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn value_with_ttl_has_expiry_if_declared(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "3600")).await.unwrap();
    let metadata = s.get("k").await.unwrap().metadata;
    if !s.declared.reads_return_expiry {
        return assert!(metadata.is_empty());
    }
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let time: String = metadata[TTL_EXPIRE_TIME].chars().map(shape).collect();
    assert_eq!(time, "0000-00-00T00:00:00Z");
}

pub(crate) async fn value_with_ttl_expires(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    wait_until_absent(&s, "k").await;
}

pub(crate) async fn rewrite_without_ttl_is_as_declared(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    s.put("k", "w").await;
    if !s.declared.rewrite_removes_ttl {
        return wait_until_absent(&s, "k").await;
    }
    s.set(with_ttl(s.write("clock", "v"), "2")).await.unwrap();
    wait_until_absent(&s, "clock").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn rewrite_with_minus_one_removes_ttl(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    s.set(with_ttl(s.write("k", "w"), "-1")).await.unwrap();
    s.set(with_ttl(s.write("clock", "v"), "2")).await.unwrap();
    wait_until_absent(&s, "clock").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn expired_key_accepts_first_write(s: Subject) {
    s.set(with_ttl(first_write(s.write("k", "v")), "1")).await.unwrap();
    wait_until_absent(&s, "k").await;
    s.set(first_write(s.write("k", "w"))).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn invalid_ttl_is_an_error_and_writes_nothing(s: Subject) {
    for wrong in ["soon", "1.5", "99999999999999999999"] {
        let result = s.set(with_ttl(s.write("k", "v"), wrong)).await;
        assert!(result.is_err(), "{wrong}");
        let is_distinguished = matches!(result, Err(StateError::InvalidRequest(_)));
        assert!(is_distinguished || !s.declared.invalid_requests_are_distinguished, "{wrong}: {result:?}");
    }
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn rewrite_with_longer_ttl_extends_it(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    s.set(with_ttl(s.write("k", "w"), "3600")).await.unwrap();
    s.set(with_ttl(s.write("clock", "v"), "2")).await.unwrap();
    wait_until_absent(&s, "clock").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn bulk_read_omits_expired_values(s: Subject) {
    s.put("stays", "v").await;
    s.set(with_ttl(s.write("goes", "v"), "1")).await.unwrap();
    wait_until_absent(&s, "goes").await;
    let requests = vec![GetRequest::new(s.key("goes")), GetRequest::new(s.key("stays"))];
    let found: Vec<_> = s.store.bulk_get(requests, 0).await.into_iter().map(|it| it.unwrap().is_some()).collect();
    assert_eq!(found, [false, true]);
}
