//! Keys: any text is a valid key, and distinct from all others.

use crate::subject::Subject;

pub(crate) async fn missing_key_is_absent(s: Subject) {
    assert_eq!(s.get("never-written").await, None);
}

pub(crate) async fn deleted_key_is_absent(s: Subject) {
    s.put("k", "v").await;
    s.delete(s.removal("k")).await.unwrap();
    assert_eq!(s.get("k").await, None);
}

pub(crate) async fn delete_of_absent_key_succeeds(s: Subject) {
    s.delete(s.removal("never-written")).await.unwrap();
}

pub(crate) async fn keys_are_case_sensitive(s: Subject) {
    s.put("key", "lower").await;
    s.put("KEY", "upper").await;
    assert_eq!(s.value("key").await.unwrap(), "lower");
    assert_eq!(s.value("KEY").await.unwrap(), "upper");
}

pub(crate) async fn keys_may_contain_special_characters(s: Subject) {
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

pub(crate) async fn key_of_thousand_bytes_is_accepted(s: Subject) {
    let long = "k".repeat(1000);
    s.put(&long, "v").await;
    assert_eq!(s.value(&long).await.unwrap(), "v");
    assert_eq!(s.value(&long[1..]).await, None);
}

pub(crate) async fn key_prefix_does_not_match(s: Subject) {
    s.put("ab", "v").await;
    assert_eq!(s.value("a").await, None);
    s.delete(s.removal("a")).await.unwrap();
    assert_eq!(s.value("ab").await.unwrap(), "v");
}

pub(crate) async fn key_patterns_match_literally(s: Subject) {
    s.put("ab", "v").await;
    for pattern in ["a%", "a_", "a*", "a?", "a."] {
        assert_eq!(s.value(pattern).await, None, "{pattern}");
        s.delete(s.removal(pattern)).await.unwrap();
    }
    assert_eq!(s.value("ab").await.unwrap(), "v");
}

pub(crate) async fn deleted_key_can_be_written_again(s: Subject) {
    s.put("k", "v").await;
    s.delete(s.removal("k")).await.unwrap();
    s.put("k", "w").await;
    assert_eq!(s.value("k").await.unwrap(), "w");
}

pub(crate) async fn key_with_nul_is_distinct_or_rejected(s: Subject) {
    s.put("nul", "short").await;
    if s.set(s.write("nul\0longer", "long")).await.is_ok() {
        assert_eq!(s.value("nul\0longer").await.unwrap(), "long");
        assert_eq!(s.value("nul\0other").await, None);
    }
    assert_eq!(s.value("nul").await.unwrap(), "short");
}

pub(crate) async fn spaces_around_key_are_significant(s: Subject) {
    s.put("k", "bare").await;
    s.put("k ", "spaced").await;
    assert_eq!(s.value("k").await.unwrap(), "bare");
    assert_eq!(s.value("k ").await.unwrap(), "spaced");
    assert_eq!(s.value("k\t").await, None);
}
