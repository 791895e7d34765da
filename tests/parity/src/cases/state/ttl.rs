//! Times to live.

use super::Store;
use crate::case::{Case, case};

pub(super) fn cases(on: &Store) -> Vec<Case> {
    let with =
        |ttl: &str| on.save(&format!(r#"[{{"key":"{{key}}","value":1,"metadata":{{"ttlInSeconds":"{ttl}"}}}}]"#));
    let without = || on.save(r#"[{"key":"{key}","value":2}]"#);
    vec![
        case("time to live: shows", [with("1000"), on.get("{key}")]),
        case("time to live: ends", [with("1"), on.get("{key}").until(204)]),
        case("time to live: a new write without one ends it", [with("1000"), without(), on.get("{key}")]),
        case("time to live: a new write with -1 ends it", [with("1000"), with("-1"), on.get("{key}")]),
        case("time to live: zero", [with("0"), on.get("{key}")]),
        case("time to live: negative", [with("-5"), on.get("{key}")]),
        case("time to live: a fraction", [with("1.5"), on.get("{key}")]),
        case("time to live: text", [with("soon"), on.get("{key}")]),
        case("time to live: empty", [with(""), on.get("{key}")]),
        case("time to live: more than an int32", [with("2147483648"), on.get("{key}")]),
        // If it is accepted, daprd's nanoseconds overflow, so that the expiry times differ.
        case("time to live: more than a calendar has", [with("99999999999")]),
        case("time to live: too large", [with("99999999999999999999"), on.get("{key}")]),
        case("time to live: the query string wins", [
            on.call("?metadata.ttlInSeconds=1000", r#"[{"key":"{key}","value":1,"metadata":{"ttlInSeconds":"5000"}}]"#),
            on.get("{key}"),
        ]),
        case("time to live: a first write after the end", [
            with("1"),
            on.get("{key}").until(204),
            on.save(r#"[{"key":"{key}","value":3,"options":{"concurrency":"first-write"}}]"#),
            on.get("{key}"),
        ]),
        case("time to live: the etag stays good", [
            with("1000"),
            on.get("{key}"),
            on.save(r#"[{"key":"{key}","value":3,"etag":"{etag:1}"}]"#),
            on.get("{key}"),
        ]),
        case("time to live: two in one save", [
            on.save(r#"[{"key":"{key}","value":1,"metadata":{"ttlInSeconds":"1000"}},{"key":"{key}-2","value":1,"metadata":{"ttlInSeconds":"soon"}}]"#),
            on.get("{key}"),
            on.get("{key}-2"),
        ]),
    ]
}
