//! Values: bytes are stored unchanged.

use bytes::Bytes;
use dapr_building_blocks::state::{Consistency, GetRequest, SetRequest, StateOptions};

use crate::subject::Subject;

async fn check(s: &Subject, name: &str, value: impl Into<Bytes>) {
    let value = value.into();
    s.put(name, value.clone()).await;
    let read = s.value(name).await;
    assert!(read.as_ref() == Some(&value), "{name}: {} bytes came back differently", value.len());
}

pub(crate) async fn value_is_read_back_unchanged(s: Subject) {
    check(&s, "text", "plain text").await;
    check(&s, "unicode", "Grüße, 世界 \u{1f32d}").await;
}

pub(crate) async fn all_byte_values_are_preserved(s: Subject) {
    check(&s, "bytes", (0..=255).collect::<Vec<u8>>()).await;
    check(&s, "invalid-utf8", vec![0xff, 0xfe, 0xc0, 0x80]).await;
}

pub(crate) async fn empty_value_is_not_absent(s: Subject) {
    check(&s, "empty", "").await;
}

pub(crate) async fn text_with_nul_bytes_is_preserved(s: Subject) {
    check(&s, "zeros", "a\0b\0").await;
}

pub(crate) async fn json_is_not_reformatted(s: Subject) {
    check(&s, "json", r#"{ "b":1.0,  "a":[12345678901234567890, "<&>"] }"#).await;
    check(&s, "null", "null").await;
    check(&s, "base64", "aGVsbG8=").await;
}

pub(crate) async fn value_of_four_mebibytes_is_preserved(s: Subject) {
    let bytes = (0..4_u32 << 20).map(|n| n.to_le_bytes()[(n % 3) as usize]).take(s.declared.max_value_bytes);
    check(&s, "large", bytes.collect::<Vec<u8>>()).await;
}

pub(crate) async fn later_write_replaces_earlier_one(s: Subject) {
    check(&s, "k", "first").await;
    check(&s, "k", vec![0xff; 8]).await;
    check(&s, "k", "third").await;
}

pub(crate) async fn ping_of_working_store_succeeds(s: Subject) {
    s.store.ping().await.unwrap();
}

pub(crate) async fn shorter_value_fully_replaces_longer_one(s: Subject) {
    check(&s, "k", vec![b'x'; 10_000]).await;
    check(&s, "k", "y").await;
    check(&s, "k", "").await;
}

pub(crate) async fn strong_and_eventual_reads_see_last_write(s: Subject) {
    let strong = StateOptions { consistency: Consistency::Strong, ..StateOptions::default() };
    s.set(SetRequest { options: strong, ..s.write("k", "v") }).await.unwrap();
    for consistency in [Consistency::Strong, Consistency::Eventual] {
        let request = GetRequest { consistency, ..GetRequest::new(s.key("k")) };
        assert_eq!(s.store.get(request).await.unwrap().unwrap().value, "v", "{consistency:?}");
    }
}
