//! Secret stores and bindings on sockets, served by Wasm components. State stores on sockets run all cases of `state`.

use crate::case::{Case, Step, case, dapr};

fn echo(body: &str) -> Step {
    dapr("caller", "POST", "/v1.0/bindings/echo").json(body.to_owned())
}

pub(crate) fn cases() -> Vec<Case> {
    let secret = |key: &str| dapr("caller", "GET", format!("/v1.0/secrets/env-file/{key}"));
    vec![
        case("pluggable: a secret", [secret("ONE"), secret("TWO")]),
        case("pluggable: a secret that is not there", [secret("THREE")]),
        case("pluggable: all secrets", [secret("bulk")]),
        case(
            "pluggable: a binding is asked",
            [
                echo(r#"{"operation":"echo","data":{"b":[1,2],"a":"<b>"}}"#),
                echo(r#"{"operation":"echo","data":"text","metadata":{"name":"value"}}"#),
                echo(r#"{"operation":"echo"}"#),
            ],
        ),
        case(
            "pluggable: a binding is told of the trace",
            [echo(r#"{"operation":"echo","data":1,"metadata":{"traceparent":"mine","tracestate":"mine"}}"#)
                .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .header("tracestate", "a=1")
                .header("baggage", "k=v")],
        ),
        case("pluggable: a binding refuses", [echo(r#"{"operation":"refuse"}"#)]),
        case(
            "pluggable: a binding traps, and is there again",
            [echo(r#"{"operation":"trap"}"#), echo(r#"{"operation":"count"}"#)],
        ),
        case("pluggable: an operation that is not there", [echo(r#"{"operation":"none"}"#)]),
    ]
}
