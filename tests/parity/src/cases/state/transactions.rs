//! Several operations as one.

use super::Store;
use crate::case::{Case, case};

pub(super) fn cases(on: &Store) -> Vec<Case> {
    let operations = |operations: &str| on.transaction(&format!(r#"{{"operations":[{operations}]}}"#));
    let upsert = |rest: &str| format!(r#"{{"operation":"upsert","request":{{"key":"{{key}}"{rest}}}}}"#);
    let second = r#"{"operation":"upsert","request":{"key":"{key}-2","value":2}}"#;
    let delete = |rest: &str| format!(r#"{{"operation":"delete","request":{{"key":"{{key}}"{rest}}}}}"#);
    let one = || on.save(r#"[{"key":"{key}","value":0}]"#);
    let both = || [on.get("{key}"), on.get("{key}-2")];
    let with_both = |mut steps: Vec<crate::case::Step>| {
        steps.extend(both());
        steps
    };
    vec![
        case("transaction: two writes", with_both(vec![operations(&format!("{},{second}", upsert(r#","value":1"#)))])),
        case("transaction: a delete and a write", with_both(vec![one(), operations(&format!("{},{second}", delete("")))])),
        case("transaction: a write and a delete of one key", with_both(vec![operations(&format!("{},{}", upsert(r#","value":1"#), delete("")))])),
        case("transaction: a delete and a write of one key", with_both(vec![one(), operations(&format!("{},{}", delete(""), upsert(r#","value":1"#)))])),
        case("transaction: one key twice", with_both(vec![operations(&format!("{},{}", upsert(r#","value":1"#), upsert(r#","value":2"#)))])),
        case("transaction: nothing to do", [operations("")]),
        case("transaction: delete of what is not there", [operations(&delete(""))]),
        case("transaction: the right etag", [one(), on.get("{key}"), operations(&upsert(r#","value":1,"etag":"{etag:1}""#)), on.get("{key}")]),
        case("transaction: a stale etag", with_both(vec![one(), operations(&format!("{second},{}", upsert(r#","value":1,"etag":"9""#)))])),
        case("transaction: an etag of another form", with_both(vec![one(), operations(&format!("{second},{}", upsert(r#","value":1,"etag":"x!""#)))])),
        case("transaction: delete with a stale etag", with_both(vec![one(), operations(&format!("{second},{}", delete(r#","etag":"9""#)))])),
        case("transaction: first-write where something is", with_both(vec![one(), operations(&format!("{second},{}", upsert(r#","value":1,"options":{"concurrency":"first-write"}"#)))])),
        case("transaction: an unknown operation", with_both(vec![operations(r#"{"operation":"rename","request":{"key":"{key}"}}"#)])),
        case("transaction: an operation in upper case", [operations(r#"{"operation":"UPSERT","request":{"key":"{key}","value":1}}"#), on.get("{key}")]),
        case("transaction: no operation", [operations(r#"{"request":{"key":"{key}","value":1}}"#)]),
        case("transaction: no request", [operations(r#"{"operation":"upsert"}"#)]),
        case("transaction: a request of null", [operations(r#"{"operation":"delete","request":null}"#)]),
        case("transaction: no key", [operations(r#"{"operation":"upsert","request":{"value":1}}"#)]),
        case("transaction: an empty key", [operations(r#"{"operation":"delete","request":{"key":""}}"#)]),
        case("transaction: a key that is a number", [operations(r#"{"operation":"upsert","request":{"key":1,"value":1}}"#)]),
        case("transaction: an illegal key", [operations(r#"{"operation":"upsert","request":{"key":"a||b","value":1}}"#)]),
        case("transaction: no value", [operations(&upsert("")), on.get("{key}")]),
        case("transaction: HTML and order in a value", [operations(&upsert(r#","value":{"b":"<","a":1.0}"#)), on.get("{key}")]),
        case("transaction: operations of null", [on.transaction(r#"{"operations":null}"#)]),
        case("transaction: an empty object", [on.transaction("{}")]),
        case("transaction: no JSON", [on.transaction("x")]),
        case("transaction: nothing", [on.transaction("")]),
        case("transaction: an array", [on.transaction("[]")]),
        case("transaction: a time to live", [operations(&upsert(r#","value":1,"metadata":{"ttlInSeconds":"1000"}"#)), on.get("{key}")]),
        case("transaction: a time to live of the whole", [
            on.transaction(r#"{"operations":[{"operation":"upsert","request":{"key":"{key}","value":1}}],"metadata":{"ttlInSeconds":"1000"}}"#),
            on.get("{key}"),
        ]),
        case("transaction: a time to live in the query string", [
            on.call("/transaction?metadata.ttlInSeconds=1000", &format!(r#"{{"operations":[{}]}}"#, upsert(r#","value":1"#))),
            on.get("{key}"),
        ]),
        case("transaction: a time to live that is no number", [operations(&upsert(r#","value":1,"metadata":{"ttlInSeconds":"soon"}"#)), on.get("{key}")]),
    ]
}
