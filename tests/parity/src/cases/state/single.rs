//! Get, save and delete of single keys; etags and concurrency.

use super::Store;
use crate::case::{Case, case};

pub(super) fn cases(on: &Store) -> Vec<Case> {
    let item = |rest: &str| format!(r#"[{{"key":"{{key}}"{rest}}}]"#);
    let value = |value: &str| item(&format!(r#","value":{value}"#));
    let first = item(r#","value":1,"options":{"concurrency":"first-write"}"#);
    vec![
        case("a key that is not there", [on.get("{key}")]),
        case("save and get", [on.save(&value(r#""v""#)), on.get("{key}")]),
        case("PUT saves too", [put(on, &value("1")), on.get("{key}")]),
        case("save twice", [on.save(&value("1")), on.save(&value("2")), on.get("{key}")]),
        case("save, delete, get", [on.save(&value("1")), on.delete("{key}"), on.get("{key}")]),
        case("delete what is not there", [on.delete("{key}")]),
        case(
            "save with the right etag",
            [on.save(&value("1")), on.get("{key}"), on.save(&item(r#","value":2,"etag":"{etag:1}""#)), on.get("{key}")],
        ),
        case(
            "save with a stale etag",
            [
                on.save(&value("1")),
                on.get("{key}"),
                on.save(&value("2")),
                on.save(&item(r#","value":3,"etag":"{etag:1}""#)),
                on.get("{key}"),
            ],
        ),
        case(
            "save with an etag of another form",
            [on.save(&value("1")), on.save(&item(r#","value":2,"etag":"x!""#)), on.get("{key}")],
        ),
        case("save with an etag where nothing is", [on.save(&item(r#","value":2,"etag":"5""#)), on.get("{key}")]),
        case(
            "save with an empty etag",
            [on.save(&value("1")), on.save(&item(r#","value":2,"etag":"""#)), on.get("{key}")],
        ),
        case(
            "save with an etag of null",
            [on.save(&value("1")), on.save(&item(r#","value":2,"etag":null"#)), on.get("{key}")],
        ),
        case("first-write where nothing is", [on.save(&first), on.get("{key}")]),
        case("first-write where something is", [on.save(&value("0")), on.save(&first), on.get("{key}")]),
        case("first-write twice", [on.save(&first), on.save(&first), on.get("{key}")]),
        case(
            "first-write with the right etag",
            [
                on.save(&value("1")),
                on.get("{key}"),
                on.save(&item(r#","value":2,"etag":"{etag:1}","options":{"concurrency":"first-write"}"#)),
                on.get("{key}"),
            ],
        ),
        case(
            "first-write after a delete",
            [on.save(&value("0")), on.delete("{key}"), on.save(&first), on.get("{key}")],
        ),
        case(
            "last-write with a stale etag",
            [
                on.save(&value("1")),
                on.save(&item(r#","value":2,"etag":"77","options":{"concurrency":"last-write"}"#)),
                on.get("{key}"),
            ],
        ),
        case(
            "delete with the right etag",
            [on.save(&value("1")), on.get("{key}"), on.delete("{key}").header("if-match", "{etag:1}"), on.get("{key}")],
        ),
        case(
            "delete with a stale etag",
            [
                on.save(&value("1")),
                on.get("{key}"),
                on.save(&value("2")),
                on.delete("{key}").header("if-match", "{etag:1}"),
                on.get("{key}"),
            ],
        ),
        case(
            "delete with an etag in quotes",
            [on.save(&value("1")), on.get("{key}"), on.delete("{key}").header("if-match", "\"{etag:1}\"")],
        ),
        case(
            "delete with an etag of another form",
            [on.save(&value("1")), on.delete("{key}").header("if-match", "x!")],
        ),
        case("delete what is not there, with an etag", [on.delete("{key}").header("if-match", "5")]),
        case(
            "delete with first-write and no etag",
            [on.save(&value("1")), on.delete("{key}?concurrency=first-write"), on.get("{key}")],
        ),
        case(
            "consistency strong and eventual",
            [
                on.save(&item(r#","value":1,"options":{"consistency":"strong"}"#)),
                on.get("{key}?consistency=strong"),
                on.get("{key}?consistency=eventual"),
                on.delete("{key}?consistency=strong"),
            ],
        ),
        case("an unknown consistency of a save", [on.save(&item(r#","value":1,"options":{"consistency":"weak"}"#))]),
        case("an unknown concurrency of a save", [on.save(&item(r#","value":1,"options":{"concurrency":"none"}"#))]),
        case("an unknown consistency of a get", [on.get("{key}?consistency=weak")]),
        case("an unknown concurrency of a delete", [on.delete("{key}?concurrency=none")]),
        case(
            "two keys in one save",
            [on.save(r#"[{"key":"{key}","value":1},{"key":"{key}-2","value":2}]"#), on.get("{key}"), on.get("{key}-2")],
        ),
        case(
            "two keys, one with a stale etag",
            [
                on.save(&value("1")),
                on.save(r#"[{"key":"{key}","value":2,"etag":"9"},{"key":"{key}-2","value":2}]"#),
                on.get("{key}"),
                on.get("{key}-2"),
            ],
        ),
        case(
            "two keys, one with an etag of another form",
            [on.save(r#"[{"key":"{key}","value":2,"etag":"x!"},{"key":"{key}-2","value":2}]"#), on.get("{key}-2")],
        ),
        case("one key twice in one save", [on.save(r#"[{"key":"{key}","value":1},{"key":"{key}","value":2}]"#)]),
    ]
}

fn put(on: &Store, body: &str) -> crate::case::Step {
    let mut step = on.save(body);
    "PUT".clone_into(&mut step.method);
    step
}
