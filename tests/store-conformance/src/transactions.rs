//! Transactions: all operations in order, or none.

use crate::subject::{Subject, delete_with_etag, first_write, with_etag, with_ttl};
use dapr_building_blocks::state::Operation::{Delete, Upsert};
use dapr_building_blocks::state::{Operation, TTL_EXPIRE_TIME};
use dapr_building_blocks::{Metadata, StateError};

async fn transact(s: &Subject, operations: Vec<Operation>) -> Result<(), StateError> {
    s.store.transact(operations, Metadata::new()).await
}

pub(crate) async fn transaction_applies_all_operations(s: Subject) {
    s.put("gone", "v").await;
    let operations = vec![Upsert(s.write("a", "1")), Delete(s.removal("gone")), Upsert(s.write("b", "2"))];
    transact(&s, operations).await.unwrap();
    assert_eq!(s.value("a").await.unwrap(), "1");
    assert_eq!(s.value("b").await.unwrap(), "2");
    assert_eq!(s.get("gone").await, None);
}

pub(crate) async fn transaction_applies_operations_in_order(s: Subject) {
    let operations = vec![
        Upsert(s.write("kept", "1")),
        Delete(s.removal("kept")),
        Upsert(s.write("kept", "2")),
        Upsert(s.write("gone", "1")),
        Delete(s.removal("gone")),
    ];
    transact(&s, operations).await.unwrap();
    assert_eq!(s.value("kept").await.unwrap(), "2");
    assert_eq!(s.get("gone").await, None);
}

pub(crate) async fn empty_transaction_succeeds(s: Subject) {
    transact(&s, vec![]).await.unwrap();
}

pub(crate) async fn stale_etag_fails_transaction_as_declared(s: Subject) {
    s.put("b", "old").await;
    let stale_write = Upsert(with_etag(s.write("b", "new"), s.stale_etag()));
    let stale_delete = Delete(delete_with_etag(s.removal("b"), s.stale_etag()));
    for stale in [stale_write, stale_delete] {
        let result = transact(&s, vec![Upsert(s.write("a", "1")), stale, Upsert(s.write("c", "3"))]).await;
        assert!(result.is_err());
        assert_eq!(s.value("b").await.unwrap(), "old");
        if s.declared.transactions_roll_back {
            assert_eq!((s.get("a").await, s.get("c").await), (None, None));
        }
    }
}

pub(crate) async fn transaction_with_current_etags_succeeds(s: Subject) {
    s.put("a", "1").await;
    s.put("b", "1").await;
    let write = with_etag(s.write("a", "2"), s.etag("a").await);
    let delete = delete_with_etag(s.removal("b"), s.etag("b").await);
    transact(&s, vec![Upsert(write), Delete(delete)]).await.unwrap();
    assert_eq!(s.value("a").await.unwrap(), "2");
    assert_eq!(s.get("b").await, None);
}

pub(crate) async fn transaction_applies_ttl(s: Subject) {
    transact(&s, vec![Upsert(with_ttl(s.write("k", "v"), "3600")), Upsert(s.write("l", "v"))]).await.unwrap();
    if s.declared.reads_return_expiry {
        assert!(s.get("k").await.unwrap().metadata.contains_key(TTL_EXPIRE_TIME));
        assert!(s.get("l").await.unwrap().metadata.is_empty());
    }
    let result = transact(&s, vec![Upsert(with_ttl(s.write("m", "v"), "soon"))]).await;
    assert!(result.is_err());
    assert_eq!(s.get("m").await, None);
}

pub(crate) async fn transaction_of_hundred_operations_applies_all(s: Subject) {
    if s.store.multi_max_size().await.is_some_and(|most| most < 100) {
        return;
    }
    transact(&s, (0..100).map(|n| Upsert(s.write(&format!("k{n}"), n.to_string()))).collect()).await.unwrap();
    for n in 0..100 {
        assert_eq!(s.value(&format!("k{n}")).await.unwrap(), n.to_string());
    }
}

pub(crate) async fn transaction_may_delete_absent_key(s: Subject) {
    transact(&s, vec![Delete(s.removal("missing")), Upsert(s.write("k", "v"))]).await.unwrap();
    assert_eq!(s.value("k").await.unwrap(), "v");
}

pub(crate) async fn rejected_first_write_fails_transaction(s: Subject) {
    s.set(first_write(s.write("taken", "v"))).await.unwrap();
    let result = transact(&s, vec![Upsert(s.write("a", "1")), Upsert(first_write(s.write("taken", "w")))]).await;
    assert!(result.is_err());
    assert_eq!(s.value("taken").await.unwrap(), "v");
    if s.declared.transactions_roll_back {
        assert_eq!(s.get("a").await, None);
    }
}
