//! Calls under policies of a Resiliency.

use crate::case::{Case, Step, case, dapr};

const APP: &str = "resilient";

pub(crate) fn cases() -> Vec<Case> {
    let all = [retries(), timeouts(), breakers(), components(), deliveries()].concat();
    all.into_iter().map(|case| Case { name: format!("resiliency: {}", case.name), ..case }).collect()
}

fn invoke(id: &str, method: &str) -> Step {
    dapr(APP, "POST", format!("/v1.0/invoke/{id}/method/{method}"))
}

/// Calls a method that answers with each of these statuses in turn, and with the number of calls so far.
fn turns(id: &str, statuses: &str) -> Step {
    invoke(id, &format!("turns/{statuses}/{{key}}"))
}

fn retries() -> Vec<Case> {
    let mut all = Vec::new();
    for statuses in ["500,503,200", "429,200", "500,501,502,200", "404,200", "500,404,200", "302,200", "500,302,200"] {
        all.push(case(format!("statuses {statuses}"), [turns("callee", statuses).json("{}")]));
    }
    let with_a_body = turns("callee", "500,500,500").json(r#"{"a":"{key}"}"#);
    let twice = "resiliency/../turns/500,200/{key}?a=b";
    all.extend([
        case("the body again", [with_a_body]),
        case("an empty body", [turns("callee", "500,200")]),
        case("a streaming body", [turns("callee", "500,200").chunks(&["a", "b"])]),
        case("a GET", [dapr(APP, "GET", "/v1.0/invoke/callee/method/turns/500,200/{key}?a=b")]),
        case("a path to be cleaned", [invoke("callee", twice)]),
        case("an id with its namespace", [turns("callee.default", "500,200")]),
        case("no retries", [turns("subscriber", "500,200")]),
        case("a URL without policies", [turns("http%3A%2F%2F{app:callee}", "500,200")]),
        case("access denied", [invoke("closed", "m")]),
        case("a server that is away", [invoke("nowhere", "m"), invoke("nowhere", "n")]),
    ]);
    all
}

fn timeouts() -> Vec<Case> {
    vec![
        case("an answer in time", [invoke(APP, "slow/50")]),
        case("an answer too late", [invoke(APP, "slow/2000")]),
        case("a timeout in milliseconds", [invoke("caller", "slow/2000")]),
    ]
}

fn breakers() -> Vec<Case> {
    let many = |id: &str, statuses: &str, count: usize| (0..count).map(|_| turns(id, statuses)).collect::<Vec<_>>();
    vec![
        case("an open breaker", many("allowing", "500,404,200,200", 4)),
        case("a success between failures", many("allowing", "500,200,500,200", 4)),
        case("a redirect is a success", many("allowing", "500,302,500,302", 4)),
        case(
            "a breaker for each method",
            [turns("allowing", "500,500"), turns("allowing", "500,500"), invoke("allowing", "m")],
        ),
        case("a breaker that opens between retries", many("denying", "500,500,500,200,200", 2)),
        case("retries before the breaker opens", many("denying", "500,200,500,200", 2)),
    ]
}

fn components() -> Vec<Case> {
    let sql = |statement: &str| {
        let body = format!(r#"{{"operation":"query","metadata":{{"sql":"{statement}"}}}}"#);
        dapr(APP, "POST", "/v1.0/bindings/sql").json(body)
    };
    let save = |etag: &str| {
        let body = format!(r#"[{{"key":"{{key}}","value":1,"etag":"{etag}"}}]"#);
        dapr(APP, "POST", "/v1.0/state/memory").json(body)
    };
    vec![
        case("an etag that does not match", [save("5"), save("no number")]),
        case("a binding with an open breaker", [sql("no sql"), sql("no sql"), sql("select 1")]),
    ]
}

fn deliveries() -> Vec<Case> {
    let publish = |topic: &str| dapr(APP, "POST", format!("/v1.0/publish/messages/{topic}")).json("\"{key}\"");
    let received =
        |text: &'static str| dapr(APP, "GET", format!("/v1.0/invoke/{APP}/method/received/{{key}}")).until_body(text);
    vec![
        case("a delivery that recovers", [publish("recovers"), received("3 deliveries")]),
        case("a delivery that fails for good", [publish("fails"), received("4 deliveries")]),
        case("a delivery whose status does not match", [publish("refuses"), received("2 deliveries")]),
    ]
}
