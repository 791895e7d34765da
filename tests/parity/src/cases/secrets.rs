//! Secrets.

use crate::case::{Case, Step, case, dapr};

fn get(store: &str, key: &str) -> Step {
    dapr("caller", "GET", format!("/v1.0/secrets/{store}/{key}"))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for key in [
        "plain",
        "empty",
        "number",
        "yes",
        "nothing",
        "umlaut",
        "DB_URL",
        "DB_URL:MYSQL",
        "DB_URL%3AMYSQL",
        "DB_URL.MYSQL",
        "DB_URL:deeper:still",
        "list",
        "list:0",
        "list:2",
        "missing",
        "a%2Fb",
        "PLAIN",
        "a%7C%7Cb",
    ] {
        all.push(case(format!("secret {key}"), [get("secrets", key)]));
    }
    for key in ["DB_URL.MYSQL", "DB_URL:MYSQL", "list.1"] {
        all.push(case(format!("secret {key}, separated by dots"), [get("dotted", key)]));
    }
    for key in ["plain", "DB_URL", "DB_URL:MYSQL", "list", "number", "missing"] {
        all.push(case(format!("secret {key} of several values"), [get("multi", key)]));
    }
    for store in ["secrets", "dotted", "multi", "allowed", "denied"] {
        all.push(case(format!("all secrets of {store}"), [get(store, "bulk")]));
    }
    for (store, key) in [
        ("allowed", "plain"),
        ("allowed", "hidden"),
        ("allowed", "missing"),
        ("denied", "hidden"),
        ("denied", "plain"),
        ("env", "SHOWN"),
        ("env", "PARITY_SHOWN"),
        ("env", "EMPTY"),
        ("env", "UMLAUT"),
        ("env", "MISSING"),
        ("env", "DAPR_API_TOKEN"),
        ("env", "PATH"),
        ("nowhere", "plain"),
        ("nowhere", "bulk"),
        ("memory", "plain"),
    ] {
        all.push(case(format!("secret {key} of the store {store}"), [get(store, key)]));
    }
    all.push(case("secrets of the environment, all", [get("env", "bulk")]));
    all.push(case("a secret with metadata", [get("secrets", "plain?metadata.version_id=3")]));
    all.push(case("a secret without a name", [get("secrets", "")]));
    all.push(case("a secret by POST", [dapr("caller", "POST", "/v1.0/secrets/secrets/plain")]));
    all.push(case("a secret where no store is", [dapr("bare", "GET", "/v1.0/secrets/secrets/plain")]));
    all.push(case("all secrets where no store is", [dapr("bare", "GET", "/v1.0/secrets/secrets/bulk")]));
    all
}
