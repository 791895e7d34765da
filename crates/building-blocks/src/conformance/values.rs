//! Values: bytes in, the same bytes out.

use bytes::Bytes;

use super::subject::Subject;

async fn check(s: &Subject, name: &str, value: impl Into<Bytes>) {
    let value = value.into();
    s.put(name, value.clone()).await;
    let read = s.value(name).await;
    assert!(read.as_ref() == Some(&value), "{name}: {} bytes came back differently", value.len());
}

pub(super) async fn what_was_written_is_read_back_byte_for_byte(s: Subject) {
    check(&s, "text", "plain text").await;
    check(&s, "unicode", "Grüße, 世界 \u{1f32d}").await;
}

pub(super) async fn every_byte_value_survives(s: Subject) {
    check(&s, "bytes", (0..=255).collect::<Vec<u8>>()).await;
    check(&s, "invalid-utf8", vec![0xff, 0xfe, 0xc0, 0x80]).await;
}

pub(super) async fn an_empty_value_is_a_value(s: Subject) {
    check(&s, "empty", "").await;
}

pub(super) async fn text_with_zeros_in_it_survives(s: Subject) {
    check(&s, "zeros", "a\0b\0").await;
}

pub(super) async fn json_is_not_reformatted(s: Subject) {
    check(&s, "json", r#"{ "b":1.0,  "a":[12345678901234567890, "<&>"] }"#).await;
    check(&s, "null", "null").await;
    check(&s, "base64", "aGVsbG8=").await;
}

pub(super) async fn a_value_of_four_mebibytes_survives(s: Subject) {
    let bytes: Vec<u8> = (0..4 << 20).map(|n: u32| n.to_le_bytes()[(n % 3) as usize]).collect();
    check(&s, "large", bytes).await;
}

pub(super) async fn a_later_write_replaces_an_earlier_one(s: Subject) {
    check(&s, "k", "first").await;
    check(&s, "k", vec![0xff; 8]).await;
    check(&s, "k", "third").await;
}

pub(super) async fn a_ping_of_a_working_store_succeeds(s: Subject) {
    s.store.ping().await.unwrap();
}
