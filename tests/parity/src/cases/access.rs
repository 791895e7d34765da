//! API allow lists, API tokens and CORS.

use crate::case::{Case, Step, case, dapr};

/// Returns one request to each part of the API.
fn parts(app: &'static str) -> Vec<(&'static str, Step)> {
    vec![
        ("state", dapr(app, "GET", "/v1.0/state/memory/k")),
        ("state query", dapr(app, "POST", "/v1.0-alpha1/state/memory/query").json("{}")),
        ("secrets", dapr(app, "GET", "/v1.0/secrets/secrets/plain")),
        ("invoke", dapr(app, "GET", "/v1.0/invoke/callee/method/echo")),
        ("invoke by header", dapr(app, "GET", "/echo").header("dapr-app-id", "callee")),
        ("bindings", dapr(app, "POST", "/v1.0/bindings/x").json("{}")),
        ("metadata", dapr(app, "PUT", "/v1.0/metadata/x").body("y")),
        ("health", dapr(app, "GET", "/v1.0/healthz")),
        ("outbound health", dapr(app, "GET", "/v1.0/healthz/outbound")),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for app in ["allowing", "denying"] {
        all.extend(parts(app).into_iter().map(|(part, step)| case(format!("a sidecar {app} some: {part}"), [step])));
    }
    all
}

pub(crate) fn with_token() -> Vec<Case> {
    let on = |method: &str, target: &str| dapr("guarded", method, target);
    let own = "/v1.0/invoke/guarded/method/echo";
    vec![
        case("token: none", [on("GET", "/v1.0/metadata")]),
        case("token: a wrong one", [on("GET", "/v1.0/metadata").header("dapr-api-token", "wrong")]),
        case("token: an empty one", [on("GET", "/v1.0/metadata").header("dapr-api-token", "")]),
        case("token: the right one", [on("GET", "/v1.0/state/memory/{key}").header("dapr-api-token", "asked")]),
        case(
            "token: the right one twice",
            [on("GET", "/v1.0/state/memory/{key}").header("dapr-api-token", "asked").header("dapr-api-token", "wrong")],
        ),
        case("token: as a bearer", [on("GET", "/v1.0/metadata").header("authorization", "Bearer asked")]),
        case("token: in the query string", [on("GET", "/v1.0/metadata?dapr-api-token=asked")]),
        case("token: not for health", [on("GET", "/v1.0/healthz")]),
        case("token: not for outbound health", [on("GET", "/v1.0/healthz/outbound")]),
        case("token: for health by another method", [on("POST", "/v1.0/healthz")]),
        case("token: for a path that is unknown", [on("GET", "/unknown")]),
        case("token: for invocation", [on("GET", own)]),
        case("token: the application gets its own", [on("GET", own).header("dapr-api-token", "asked")]),
        case("token: a part of the right one", [on("GET", "/v1.0/metadata").header("dapr-api-token", "aske")]),
    ]
}

/// Returns the requests of browsers to a sidecar that allows `http://page.example` and `https://*.example.org`.
pub(crate) fn from_pages() -> Vec<Case> {
    let metadata = "/v1.0/metadata/{key}";
    let invoke = "/v1.0/invoke/guarded/method/echo";
    let asked = |target: &str, origin: &str, method: &str| {
        let step = dapr("guarded", "OPTIONS", target).header("access-control-request-method", method);
        if origin.is_empty() { step } else { step.header("origin", origin) }
    };
    let sent = |method: &str, target: &str, origin: &str| {
        dapr("guarded", method, target).header("dapr-api-token", "asked").header("origin", origin)
    };
    let page = "http://page.example";
    vec![
        case("page: asks whether it may", [asked(metadata, page, "PUT")]),
        case("page: asks in other letters", [asked(metadata, "HTTP://Page.Example", "put")]),
        case("page: asks from a part of a site", [asked(metadata, "https://a.b.example.org", "GET")]),
        case("page: asks from the site itself", [asked(metadata, "https://example.org", "GET")]),
        case("page: asks from elsewhere", [asked(metadata, "http://other.example", "GET")]),
        case("page: asks without saying from where", [asked(metadata, "", "GET")]),
        case("page: asks for an unusual method", [asked(metadata, page, "TRACE")]),
        case("page: asks for OPTIONS", [asked(metadata, page, "OPTIONS")]),
        case("page: asks for a path that is unknown", [asked("/unknown", page, "GET")]),
        case("page: asks for invocation", [asked(invoke, page, "POST")]),
        case(
            "page: asks for headers of its own",
            [asked(metadata, page, "PUT")
                .header("access-control-request-headers", "content-type, DAPR-api-token,x_1.a")],
        ),
        case(
            "page: asks for odd headers",
            [asked(metadata, page, "PUT").header("access-control-request-headers", ",,  a!b ,-x-,")],
        ),
        case("page: sends", [sent("GET", "/v1.0/state/memory/{key}", page)]),
        case("page: sends from elsewhere", [sent("GET", "/v1.0/state/memory/{key}", "http://other.example")]),
        case("page: sends an OPTIONS that asks nothing", [sent("OPTIONS", metadata, page)]),
        case("page: sends without a token", [dapr("guarded", "GET", metadata).header("origin", page)]),
        case("page: invokes", [sent("POST", invoke, page).body("x")]),
        case("page: invokes by an unusual method", [sent("TRACE", invoke, page)]),
    ]
}
