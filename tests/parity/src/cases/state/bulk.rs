//! Many keys in one read.

use super::Store;
use crate::case::{Case, case};

pub(super) fn cases(on: &Store) -> Vec<Case> {
    let two = || on.save(r#"[{"key":"{key}","value":{"b":1,"a":"<"}},{"key":"{key}-2","value":"text"}]"#);
    vec![
        case("bulk: what is there and what is not", [two(), on.bulk(r#"{"keys":["{key}-3","{key}","{key}-2"]}"#)]),
        case("bulk: one after the other", [two(), on.bulk(r#"{"keys":["{key}","{key}-2"],"parallelism":1}"#)]),
        case("bulk: no keys", [on.bulk(r#"{"keys":[]}"#)]),
        case("bulk: an empty object", [on.bulk("{}")]),
        case("bulk: keys of null", [on.bulk(r#"{"keys":null}"#)]),
        case("bulk: one key twice", [two(), on.bulk(r#"{"keys":["{key}","{key}"]}"#)]),
        case("bulk: an illegal key", [on.bulk(r#"{"keys":["a||b"]}"#)]),
        case("bulk: an empty key", [on.bulk(r#"{"keys":[""]}"#)]),
        case("bulk: a key that is a number", [on.bulk(r#"{"keys":[1]}"#)]),
        case("bulk: keys that are text", [on.bulk(r#"{"keys":"{key}"}"#)]),
        case("bulk: an array", [on.bulk(r#"["{key}"]"#)]),
        case("bulk: no JSON", [on.bulk("x")]),
        case("bulk: nothing", [on.bulk("")]),
        case("bulk: a parallelism that is negative", [two(), on.bulk(r#"{"keys":["{key}"],"parallelism":-1}"#)]),
        case("bulk: a parallelism that is text", [on.bulk(r#"{"keys":["{key}"],"parallelism":"2"}"#)]),
        case("bulk: with metadata", [two(), on.bulk(r#"{"keys":["{key}"],"metadata":{"a":"b"}}"#)]),
        case(
            "bulk: a key with a time to live",
            [
                on.save(
                    r#"[{"key":"{key}","value":1,"metadata":{"ttlInSeconds":"1000"}},{"key":"{key}-2","value":2}]"#,
                ),
                on.bulk(r#"{"keys":["{key}","{key}-2"]}"#),
            ],
        ),
    ]
}
