//! Bulk operations: many at once, each with its own result.

use crate::subject::{Subject, assert_mismatch, delete_with_etag, with_etag};
use dapr_building_blocks::StateError;
use dapr_building_blocks::state::{DEFAULT_PARALLELISM, GetRequest};

async fn read(s: &Subject, names: &[&str]) -> Vec<Option<String>> {
    let requests = names.iter().map(|name| GetRequest::new(s.key(name))).collect();
    let items = s.store.bulk_get(requests, DEFAULT_PARALLELISM).await;
    let text = |value: bytes::Bytes| String::from_utf8(value.to_vec()).unwrap();
    items.into_iter().map(|item| item.unwrap().map(|item| text(item.value))).collect()
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect()
}

pub(crate) async fn bulk_read_keeps_order_and_marks_absent_keys(s: Subject) {
    s.put("b", "2").await;
    s.put("a", "1").await;
    assert_eq!(read(&s, &["a", "missing", "b"]).await, some(&["1", "", "2"]));
}

pub(crate) async fn empty_bulk_read_is_empty(s: Subject) {
    assert!(read(&s, &[]).await.is_empty());
}

pub(crate) async fn bulk_read_of_duplicate_key_has_two_results(s: Subject) {
    s.put("a", "1").await;
    assert_eq!(read(&s, &["a", "a"]).await, some(&["1", "1"]));
}

pub(crate) async fn bulk_write_writes_all(s: Subject) {
    let names: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
    let requests = names.iter().map(|name| s.write(name, name.clone())).collect();
    let results = s.store.bulk_set(requests, DEFAULT_PARALLELISM).await;
    assert!(results.len() == 100 && results.iter().all(Result::is_ok), "{results:?}");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(read(&s, &names).await, some(&names));
}

pub(crate) async fn bulk_write_fails_only_for_stale_etag(s: Subject) {
    s.put("b", "old").await;
    let requests = vec![s.write("a", "1"), with_etag(s.write("b", "2"), s.stale_etag()), s.write("c", "3")];
    assert_only_second_failed(s.store.bulk_set(requests, DEFAULT_PARALLELISM).await);
    assert_eq!(read(&s, &["a", "b", "c"]).await, some(&["1", "old", "3"]));
}

pub(crate) async fn bulk_delete_deletes_all_and_ignores_absent_keys(s: Subject) {
    s.put("a", "1").await;
    s.put("b", "2").await;
    let requests = vec![s.removal("a"), s.removal("missing"), s.removal("b")];
    let results = s.store.bulk_delete(requests, DEFAULT_PARALLELISM).await;
    assert!(results.len() == 3 && results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(read(&s, &["a", "b"]).await, some(&["", ""]));
}

pub(crate) async fn bulk_delete_fails_only_for_stale_etag(s: Subject) {
    for name in ["a", "b", "c"] {
        s.put(name, name).await;
    }
    let requests = vec![s.removal("a"), delete_with_etag(s.removal("b"), s.stale_etag()), s.removal("c")];
    assert_only_second_failed(s.store.bulk_delete(requests, DEFAULT_PARALLELISM).await);
    assert_eq!(read(&s, &["a", "b", "c"]).await, some(&["", "b", ""]));
}

fn assert_only_second_failed(results: Vec<Result<(), StateError>>) {
    let [first, second, third] = <[_; 3]>::try_from(results).unwrap();
    first.unwrap();
    assert_mismatch(second);
    third.unwrap();
}

pub(crate) async fn empty_bulk_write_and_delete_are_empty(s: Subject) {
    assert!(s.store.bulk_set(vec![], DEFAULT_PARALLELISM).await.is_empty());
    assert!(s.store.bulk_delete(vec![], DEFAULT_PARALLELISM).await.is_empty());
}

pub(crate) async fn bulk_read_has_same_etags_as_single_reads(s: Subject) {
    let mut single = Vec::new();
    for name in ["a", "b"] {
        s.put(name, name).await;
        single.push(s.etag(name).await);
    }
    let requests = ["a", "b"].map(|name| GetRequest::new(s.key(name))).to_vec();
    let items = s.store.bulk_get(requests, DEFAULT_PARALLELISM).await;
    let etags: Vec<_> = items.into_iter().map(|item| item.unwrap().unwrap().etag.unwrap()).collect();
    assert_eq!(etags, single);
}
