//! Configuration: reads and subscriptions.

use crate::case::{Case, Step, case, dapr};

const APP: &str = "subscriber";

pub(crate) fn cases() -> Vec<Case> {
    let all = [without_a_store(), reads(), subscriptions()].concat();
    all.into_iter().map(|case| Case { name: format!("configuration: {}", case.name), ..case }).collect()
}

fn get(target: &str) -> Step {
    dapr(APP, "GET", format!("/v1.0/configuration/{target}"))
}

/// Sets the configuration of this case, with a lock: its owner is the value of a key.
fn set(value: &str) -> Step {
    let body = format!(r#"{{"resourceId":"{{key}}","lockOwner":"{value}","expiryInSeconds":60}}"#);
    dapr(APP, "POST", "/v1.0-alpha1/lock/setter").json(body)
}

fn without_a_store() -> Vec<Case> {
    let bare = |path: &str| dapr("bare", "GET", format!("/v1.0/configuration/settings{path}"));
    vec![
        case("no store at all", [bare(""), bare("?key=a"), bare("/subscribe"), bare("/1/unsubscribe")]),
        case("an unknown store", [get("nowhere?key=a"), get("nowhere/subscribe?key=a"), get("nowhere/1/unsubscribe")]),
        case("an unknown subscription", [get("settings/1/unsubscribe")]),
        case("another method", [dapr(APP, "POST", "/v1.0/configuration/settings?key=a")]),
    ]
}

fn reads() -> Vec<Case> {
    let key = "settings?key=lock||{key}";
    vec![
        case("a missing key", [get("settings?key=missing-{key}"), get("settings?key=missing-{key}&metadata.a=1")]),
        case("a value", [set("value"), get(key), get(&format!("{key}&key=missing"))]),
        case("a value with a version", [set("value||v2"), get(key)]),
        case("HTML in a value", [set("<a>&b"), get(key)]),
        case(
            "the alpha version",
            [set("value"), dapr(APP, "GET", "/v1.0-alpha1/configuration/settings?key=lock||{key}")],
        ),
    ]
}

/// A daprd subscribes at Redis after its answer, so that changes cannot be compared; the components' tests have them.
fn subscriptions() -> Vec<Case> {
    let subscribe =
        |version: &str, query: &str| dapr(APP, "GET", format!("/{version}/configuration/settings/subscribe{query}"));
    vec![
        case(
            "a subscription",
            [subscribe("v1.0", "?key=a-{key}&key=b-{key}"), subscribe("v1.0-alpha1", "?key=a-{key}")],
        ),
        case("a subscription to everything", [subscribe("v1.0", "")]),
    ]
}
