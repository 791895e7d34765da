//! Time to live. What must go away is polled for, so that no case depends on how fast a machine is.

use std::time::{Duration, Instant};

use crate::subject::{Subject, first_write, with_ttl};
use building_blocks::StateError;
use building_blocks::state::{GetRequest, TTL_EXPIRE_TIME};

const PAUSE: Duration = Duration::from_millis(5);

async fn wait_until_absent(s: &Subject, name: &str) {
    let start = Instant::now();
    while s.get(name).await.is_some() {
        assert!(start.elapsed() < s.declared.patience, "still there after {:?}", s.declared.patience);
        // Not a runtime's timer: the suite belongs to no runtime.
        std::thread::sleep(PAUSE);
    }
}

pub(crate) async fn a_value_without_ttl_tells_no_expiry(s: Subject) {
    s.put("k", "v").await;
    assert!(s.get("k").await.unwrap().metadata.is_empty());
}

pub(crate) async fn a_value_with_ttl_is_there_before_it_expires(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "3600")).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn a_value_with_ttl_tells_when_it_expires_where_declared(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "3600")).await.unwrap();
    let metadata = s.get("k").await.unwrap().metadata;
    if !s.declared.reads_tell_expiry {
        return assert!(metadata.is_empty());
    }
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let time: String = metadata[TTL_EXPIRE_TIME].chars().map(shape).collect();
    assert_eq!(time, "0000-00-00T00:00:00Z");
}

pub(crate) async fn a_value_with_ttl_goes_away(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    wait_until_absent(&s, "k").await;
}

pub(crate) async fn a_rewrite_without_ttl_does_what_is_declared(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    s.put("k", "w").await;
    if !s.declared.rewrite_removes_ttl {
        return wait_until_absent(&s, "k").await;
    }
    s.set(with_ttl(s.write("clock", "v"), "2")).await.unwrap();
    wait_until_absent(&s, "clock").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_rewrite_with_minus_one_removes_the_ttl(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    s.set(with_ttl(s.write("k", "w"), "-1")).await.unwrap();
    s.set(with_ttl(s.write("clock", "v"), "2")).await.unwrap();
    wait_until_absent(&s, "clock").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn an_expired_key_can_be_written_first_again(s: Subject) {
    s.set(with_ttl(first_write(s.write("k", "v")), "1")).await.unwrap();
    wait_until_absent(&s, "k").await;
    s.set(first_write(s.write("k", "w"))).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_ttl_that_is_no_number_is_an_error_and_writes_nothing(s: Subject) {
    for wrong in ["soon", "1.5", "99999999999999999999"] {
        let result = s.set(with_ttl(s.write("k", "v"), wrong)).await;
        assert!(result.is_err(), "{wrong}");
        let is_told = matches!(result, Err(StateError::InvalidRequest(_)));
        assert!(is_told || !s.declared.refusals_are_told_apart, "{wrong}: {result:?}");
    }
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn a_rewrite_with_a_longer_ttl_prolongs_it(s: Subject) {
    s.set(with_ttl(s.write("k", "v"), "1")).await.unwrap();
    s.set(with_ttl(s.write("k", "w"), "3600")).await.unwrap();
    s.set(with_ttl(s.write("clock", "v"), "2")).await.unwrap();
    wait_until_absent(&s, "clock").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn a_bulk_read_leaves_out_what_has_expired(s: Subject) {
    s.put("stays", "v").await;
    s.set(with_ttl(s.write("goes", "v"), "1")).await.unwrap();
    wait_until_absent(&s, "goes").await;
    let requests = vec![GetRequest::new(s.key("goes")), GetRequest::new(s.key("stays"))];
    let found: Vec<_> = s.store.bulk_get(requests, 0).await.into_iter().map(|it| it.unwrap().is_some()).collect();
    assert_eq!(found, [false, true]);
}
