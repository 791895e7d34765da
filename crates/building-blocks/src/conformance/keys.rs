//! Keys: any text is one, and each is itself alone.

use super::subject::Subject;

pub(super) async fn a_missing_key_is_absent(s: Subject) {
    assert_eq!(s.get("never-written").await, None);
}

pub(super) async fn a_deleted_key_is_absent(s: Subject) {
    s.put("k", "v").await;
    s.delete(s.removal("k")).await.unwrap();
    assert_eq!(s.get("k").await, None);
}

pub(super) async fn deleting_what_is_absent_succeeds(s: Subject) {
    s.delete(s.removal("never-written")).await.unwrap();
}

pub(super) async fn keys_are_told_apart_by_case(s: Subject) {
    s.put("key", "lower").await;
    s.put("KEY", "upper").await;
    assert_eq!(s.value("key").await.unwrap(), "lower");
    assert_eq!(s.value("KEY").await.unwrap(), "upper");
}

pub(super) async fn keys_with_odd_characters_are_just_keys(s: Subject) {
    let odd = [
        "a b",
        "ü/世界",
        "'; DROP TABLE state; --",
        "\"quoted\"",
        "line\nbreak",
        "\\",
        "{hash}tag",
        "%00",
        "\u{1f32d}",
    ];
    for key in odd {
        s.put(key, key).await;
    }
    for key in odd {
        assert_eq!(s.value(key).await.unwrap(), key);
    }
}

pub(super) async fn a_key_of_a_thousand_bytes_is_a_key(s: Subject) {
    let long = "k".repeat(1000);
    s.put(&long, "v").await;
    assert_eq!(s.value(&long).await.unwrap(), "v");
    assert_eq!(s.value(&long[1..]).await, None);
}

pub(super) async fn a_key_is_not_a_prefix_of_another(s: Subject) {
    s.put("ab", "v").await;
    assert_eq!(s.value("a").await, None);
    s.delete(s.removal("a")).await.unwrap();
    assert_eq!(s.value("ab").await.unwrap(), "v");
}

pub(super) async fn keys_with_patterns_in_them_match_only_themselves(s: Subject) {
    s.put("ab", "v").await;
    for pattern in ["a%", "a_", "a*", "a?", "a."] {
        assert_eq!(s.value(pattern).await, None, "{pattern}");
        s.delete(s.removal(pattern)).await.unwrap();
    }
    assert_eq!(s.value("ab").await.unwrap(), "v");
}
