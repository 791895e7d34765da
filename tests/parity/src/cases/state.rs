//! State: the same cases for each kind of store.

mod bulk;
mod odd;
mod single;
mod transactions;
mod ttl;

use crate::case::{Case, Step, case, dapr};

const CALLER: &str = "caller";

pub(crate) fn cases(store: &'static str) -> Vec<Case> {
    let on = Store(store);
    let mut all = Vec::new();
    all.extend(single::cases(&on));
    all.extend(odd::cases(&on));
    all.extend(bulk::cases(&on));
    all.extend(transactions::cases(&on));
    all.extend(ttl::cases(&on));
    for case in &mut all {
        case.name = format!("state {store}: {}", case.name);
    }
    all
}

/// Builds requests to one store.
struct Store(&'static str);

impl Store {
    fn get(&self, key: &str) -> Step {
        dapr(CALLER, "GET", format!("/v1.0/state/{}/{key}", self.0))
    }

    fn save(&self, items: &str) -> Step {
        self.call("", items)
    }

    fn delete(&self, key: &str) -> Step {
        dapr(CALLER, "DELETE", format!("/v1.0/state/{}/{key}", self.0))
    }

    fn bulk(&self, body: &str) -> Step {
        self.call("/bulk", body)
    }

    fn transaction(&self, body: &str) -> Step {
        self.call("/transaction", body)
    }

    /// Creates a POST with JSON to a path below the store.
    fn call(&self, path: &str, body: &str) -> Step {
        dapr(CALLER, "POST", format!("/v1.0/state/{}{path}", self.0)).json(body.to_owned())
    }
}

pub(crate) fn without_a_store() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, app, store) in [
        ("no store at all", "bare", "memory"),
        ("an unknown store", CALLER, "nowhere"),
        ("a store that is another application's", CALLER, "not-for-caller"),
        ("a component that is no store", CALLER, "secrets"),
    ] {
        let on = |method: &str, path: &str| dapr(app, method, format!("/v1.0/state/{store}{path}"));
        all.push(case(format!("{name}: get"), [on("GET", "/k")]));
        all.push(case(format!("{name}: save"), [on("POST", "").json("[]")]));
        all.push(case(format!("{name}: save rubbish"), [on("POST", "").json("{")]));
        all.push(case(format!("{name}: delete"), [on("DELETE", "/k")]));
        all.push(case(format!("{name}: bulk"), [on("POST", "/bulk").json(r#"{"keys":["k"]}"#)]));
        all.push(case(format!("{name}: transaction"), [on("POST", "/transaction").json(r#"{"operations":[]}"#)]));
        let query = dapr(app, "POST", format!("/v1.0-alpha1/state/{store}/query")).json("{}");
        all.push(case(format!("{name}: query"), [query]));
    }
    all
}

pub(crate) fn key_prefixes() -> Vec<Case> {
    let save = |store: &str, value: &str| {
        let item = format!(r#"[{{"key":"{{key}}","value":"{value}"}}]"#);
        dapr(CALLER, "POST", format!("/v1.0/state/{store}")).json(item)
    };
    let get = |store: &str, key: &str| dapr(CALLER, "GET", format!("/v1.0/state/{store}/{key}"));
    let stores = ["redis", "by-name", "by-none", "by-word", "by-namespace"];
    let mut all = Vec::new();
    for store in stores {
        let mut steps = vec![save(store, store)];
        steps.extend(stores.map(|other| get(other, "{key}")));
        steps.push(dapr(CALLER, "POST", format!("/v1.0/state/{store}/bulk")).json(r#"{"keys":["{key}"]}"#));
        all.push(case(format!("key prefix: what {store} writes, and who sees it"), steps));
    }
    // A store without prefixes shows the keys that Dapr gave to the other stores' records.
    for prefix in ["caller", "by-name", "shared"] {
        let store = match prefix {
            "caller" => "redis",
            "shared" => "by-word",
            other => other,
        };
        let under = save(store, "x");
        let raw = dapr(CALLER, "GET", format!("/v1.0/state/by-none/{prefix}%7C%7C{{key}}"));
        all.push(case(format!("key prefix: {prefix} is not to be had by another name"), [under, raw]));
    }
    all
}
