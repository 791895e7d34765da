//! Bulk operations: many at once, each with its own fate.

use super::subject::{Subject, assert_mismatch, delete_with_etag, with_etag};
use crate::StateError;
use crate::state::{DEFAULT_PARALLELISM, GetRequest};

async fn read(s: &Subject, names: &[&str]) -> Vec<Option<String>> {
    let requests = names.iter().map(|name| GetRequest::new(s.key(name))).collect();
    let items = s.store.bulk_get(requests, DEFAULT_PARALLELISM).await;
    let text = |value: bytes::Bytes| String::from_utf8(value.to_vec()).unwrap();
    items.into_iter().map(|item| item.unwrap().map(|item| text(item.value))).collect()
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect()
}

pub(super) async fn a_bulk_read_answers_in_order_and_marks_what_is_absent(s: Subject) {
    s.put("b", "2").await;
    s.put("a", "1").await;
    assert_eq!(read(&s, &["a", "missing", "b"]).await, some(&["1", "", "2"]));
}

pub(super) async fn a_bulk_read_of_nothing_is_nothing(s: Subject) {
    assert!(read(&s, &[]).await.is_empty());
}

pub(super) async fn a_bulk_read_of_one_key_twice_answers_twice(s: Subject) {
    s.put("a", "1").await;
    assert_eq!(read(&s, &["a", "a"]).await, some(&["1", "1"]));
}

pub(super) async fn a_bulk_write_writes_all(s: Subject) {
    let names: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
    let requests = names.iter().map(|name| s.write(name, name.clone())).collect();
    let results = s.store.bulk_set(requests, DEFAULT_PARALLELISM).await;
    assert!(results.len() == 100 && results.iter().all(Result::is_ok), "{results:?}");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(read(&s, &names).await, some(&names));
}

pub(super) async fn a_bulk_write_with_one_stale_etag_fails_only_there(s: Subject) {
    s.put("b", "old").await;
    let requests = vec![s.write("a", "1"), with_etag(s.write("b", "2"), s.stale_etag()), s.write("c", "3")];
    assert_only_second_failed(s.store.bulk_set(requests, DEFAULT_PARALLELISM).await);
    assert_eq!(read(&s, &["a", "b", "c"]).await, some(&["1", "old", "3"]));
}

pub(super) async fn a_bulk_delete_deletes_all_and_forgives_what_is_absent(s: Subject) {
    s.put("a", "1").await;
    s.put("b", "2").await;
    let requests = vec![s.removal("a"), s.removal("missing"), s.removal("b")];
    let results = s.store.bulk_delete(requests, DEFAULT_PARALLELISM).await;
    assert!(results.len() == 3 && results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(read(&s, &["a", "b"]).await, some(&["", ""]));
}

pub(super) async fn a_bulk_delete_with_one_stale_etag_fails_only_there(s: Subject) {
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
