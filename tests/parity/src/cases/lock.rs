//! Distributed locks.

use crate::case::{Case, Step, case, dapr};

const CALLER: &str = "caller";

pub(crate) fn cases() -> Vec<Case> {
    let all = [validation(), keys(), ownership("locks"), without_a_store()].concat();
    all.into_iter().map(|case| Case { name: format!("lock: {}", case.name), ..case }).collect()
}

fn try_lock(store: &str, body: &str) -> Step {
    dapr(CALLER, "POST", format!("/v1.0-alpha1/lock/{store}")).json(body.to_owned())
}

fn unlock(store: &str, body: &str) -> Step {
    dapr(CALLER, "POST", format!("/v1.0-alpha1/unlock/{store}")).json(body.to_owned())
}

fn lock_of(owner: &str) -> String {
    format!(r#"{{"resourceId":"{{key}}","lockOwner":"{owner}","expiryInSeconds":60}}"#)
}

fn ownership(store: &str) -> Vec<Case> {
    vec![
        case(
            "acquired once, released by its owner alone",
            [
                try_lock(store, &lock_of("a")),
                try_lock(store, &lock_of("b")),
                try_lock(store, &lock_of("a")),
                unlock(store, &lock_of("b")),
                unlock(store, &lock_of("a")),
                unlock(store, &lock_of("a")),
                try_lock(store, &lock_of("b")),
            ],
        ),
        case(
            "an expired lock",
            [
                try_lock(store, r#"{"resourceId":"{key}","lockOwner":"a","expiryInSeconds":1}"#),
                try_lock(store, &lock_of("b")).until_body("true"),
                unlock(store, &lock_of("a")),
            ],
        ),
        case(
            "names of the protocol buffer and numbers in text",
            [try_lock(store, r#"{"resource_id":"{key}","lock_owner":"a","expiry_in_seconds":"60","x":1}"#)],
        ),
    ]
}

fn validation() -> Vec<Case> {
    let body = |resource: &str, owner: &str, seconds: &str| {
        format!(r#"{{"resourceId":"{resource}","lockOwner":"{owner}","expiryInSeconds":{seconds}}}"#)
    };
    let mut all = Vec::new();
    for (name, body) in [
        ("no resource", body("", "a", "60")),
        ("no owner", body("{key}", "", "60")),
        ("no expiry", body("{key}", "a", "0")),
        ("a negative expiry", body("{key}", "a", "-1")),
        ("nothing", "{}".to_owned()),
        ("a separator in the resource", body("a||b", "a", "60")),
    ] {
        all.push(case(format!("{name}: lock"), [try_lock("locks", &body)]));
        all.push(case(format!("{name}: unlock"), [unlock("locks", &body)]));
        all.push(case(format!("{name}, unknown store: lock"), [try_lock("nowhere", &body)]));
    }
    all.push(case("an empty body", [try_lock("locks", ""), unlock("locks", "")]));
    let wrong = |path: &str| dapr(CALLER, "PUT", format!("/v1.0-alpha1/{path}")).json(lock_of("a"));
    all.push(case("another method", [wrong("lock/locks"), wrong("unlock/locks")]));
    all
}

/// Stores with other prefixes hold different keys on the same server.
fn keys() -> Vec<Case> {
    let stores = ["locks", "locks-by-name", "locks-plain", "locks-mine", "locks-namespace"];
    let steps = stores.iter().map(|store| try_lock(store, &lock_of("a")));
    let again = stores.iter().map(|store| unlock(store, &lock_of("a")));
    vec![case("the same resource under every prefix", steps.chain(again))]
}

fn without_a_store() -> Vec<Case> {
    let bare = |path: &str| dapr("bare", "POST", format!("/v1.0-alpha1/{path}/locks")).json(lock_of("a"));
    vec![
        case("no store at all", [bare("lock"), bare("unlock")]),
        case("an unknown store", [try_lock("nowhere", &lock_of("a")), unlock("nowhere", &lock_of("a"))]),
        case("a component that is no lock store", [try_lock("memory", &lock_of("a"))]),
    ]
}
