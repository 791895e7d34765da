//! Service invocation.

use crate::case::{Case, Step, app, case, dapr};

const CALLER: &str = "caller";

fn to(target: &str, method: &str, path: &str) -> Step {
    dapr(CALLER, method, format!("/v1.0/invoke/{target}/method/{path}"))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = verbs();
    all.extend(paths());
    all.extend(headers());
    all.extend(bodies());
    all.extend(answers());
    all.extend(addresses());
    all
}

fn verbs() -> Vec<Case> {
    let mut all = Vec::new();
    for verb in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "patch", "Get"] {
        all.push(case(format!("invoke: {verb}"), [to("callee", verb, "echo")]));
    }
    all.push(case("invoke: HEAD", [to("callee", "HEAD", "echo")]));
    all.push(case("invoke: oneself", [to(CALLER, "POST", "echo").body("x")]));
    all
}

fn paths() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, path) in [
        ("empty", ""),
        ("deep", "a/b/c"),
        ("with an escaped space", "a%20b"),
        ("with an escaped slash", "a%2Fb"),
        ("with an escaped percent sign", "a%25b"),
        ("with an escaped escape of a slash", "a%252Fb"),
        ("with an escaped escape of a hash", "file%2523.json"),
        ("with an escape and a space", "a%252Fb%20c"),
        ("with brackets and an exclamation mark", "a%5Bb%5D!"),
        ("with a byte that is no text", "a%FFb"),
        ("with an escaped question mark", "a%3Fb"),
        ("with an escaped hash", "a%23b"),
        ("with an escaped line end", "a%0Ab"),
        ("with Unicode", "%C3%A4/%E2%82%AC"),
        ("with a plus", "a+b"),
        ("with slashes too many", "a//b"),
        ("with a slash at the end", "a/b/"),
        ("with dots", "a/./b/../c"),
        ("that climbs", "../../secret"),
        ("that climbs, escaped", "%2e%2e/%2e%2e/secret"),
        ("with punctuation", "a;b=c,d:e@f!$&'()*~"),
        ("with a semicolon", "a;b"),
        ("with a query", "q?a=1&b=2"),
        ("with an odd query", "q?a=%20+&b&c=&=d&a=2&ä=%C3%A4"),
        ("with a query of escapes", "q?x=%26%3D%3F"),
        ("with a query of a question mark", "q?a?b"),
        ("with an empty query", "q?"),
        ("with a semicolon in the query", "q?a=1;b=2"),
    ] {
        // HTTP allows only ASCII in a target.
        if path.is_ascii() {
            all.push(case(format!("invoke: a path {name}"), [to("callee", "GET", path)]));
        }
    }
    all.push(case("invoke: oneself by a path with an escaped escape", [to(CALLER, "GET", "a%252Fb")]));
    all.push(case("invoke: oneself by a path with a byte that is no text", [to(CALLER, "GET", "a%FFb")]));
    all.push(case("invoke: no method segment", [dapr(CALLER, "GET", "/v1.0/invoke/callee")]));
    all.push(case("invoke: a method segment and nothing after", [dapr(CALLER, "GET", "/v1.0/invoke/callee/method")]));
    all.push(case("invoke: no id", [dapr(CALLER, "GET", "/v1.0/invoke//method/echo")]));
    all.push(case("invoke: another version", [dapr(CALLER, "GET", "/v2.0/invoke/callee/method/echo")]));
    all
}

fn headers() -> Vec<Case> {
    let plain = || to("callee", "POST", "echo").body("{}");
    vec![
        case("invoke: own headers reach the application", [plain().header("x-one", "1").header("X-Two", "2")]),
        case("invoke: a header twice", [plain().header("x-two", "a").header("x-two", "b")]),
        case("invoke: content type", [plain().json("{}")]),
        case("invoke: content type with parameters", [plain().header("content-type", "text/plain; charset=utf-8")]),
        case(
            "invoke: accept, agent, cookie",
            [plain().header("accept", "image/png").header("user-agent", "parity").header("cookie", "a=1; b=2")],
        ),
        case("invoke: authorization", [plain().header("authorization", "Bearer x")]),
        case(
            "invoke: what belongs to one connection",
            [plain().header("te", "trailers").header("proxy-authorization", "Basic x").header("keep-alive", "5")],
        ),
        case(
            "invoke: what the Connection header names",
            [plain().header("connection", "x-private").header("x-private", "1")],
        ),
        case("invoke: proxy headers", [plain().header("proxy-connection", "x").header("trailer", "x")]),
        case("invoke: binary headers", [plain().header("x-data-bin", "AAE=")]),
        case("invoke: headers of gRPC", [plain().header("grpc-timeout", "1S").header("grpc-encoding", "x")]),
        case(
            "invoke: a claim about who calls",
            [plain().header("dapr-caller-app-id", "somebody").header("dapr-callee-app-id", "other")],
        ),
        case(
            "invoke: a claim about where from",
            [plain()
                .header("x-forwarded-for", "10.0.0.1")
                .header("x-forwarded-host", "h")
                .header("forwarded", "for=1")],
        ),
        case("invoke: destination-app-id", [plain().header("destination-app-id", "somebody")]),
        case(
            "invoke: a trace goes on",
            [plain()
                .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .header("tracestate", "a=1")
                .header("baggage", "k=v")],
        ),
        case("invoke: a broken trace", [plain().header("traceparent", "rubbish")]),
        case("invoke: an empty header", [plain().header("x-empty", "")]),
        case("invoke: expect", [plain().header("expect", "100-continue")]),
        case("invoke: an API token", [plain().header("dapr-api-token", "x")]),
        case(
            "invoke: headers to oneself",
            [to(CALLER, "POST", "echo").header("x-one", "1").header("te", "trailers").header("connection", "x-one")],
        ),
        case("invoke: a header of three kilobytes", [plain().header("x-long", &"h".repeat(3000))]),
    ]
}

fn bodies() -> Vec<Case> {
    vec![
        case("invoke: an empty body", [to("callee", "POST", "echo")]),
        case("invoke: text", [to("callee", "POST", "echo").body("hello")]),
        case("invoke: bytes", [to("callee", "POST", "echo").body(&[0_u8, 255, 254, 10, 13][..])]),
        case("invoke: in chunks", [to("callee", "POST", "echo").chunks(&["one", " two", " three"])]),
        case("invoke: a GET with a body", [to("callee", "GET", "echo").body("why not")]),
        case("invoke: three mebibytes", [to("callee", "POST", "echo").body(vec![b'x'; 3 << 20])]),
        case("invoke: more than the limit", [to("callee", "POST", "echo").body(vec![b'x'; (4 << 20) + 1])]),
        case("invoke: exactly the limit", [to("callee", "POST", "echo").body(vec![b'x'; 4 << 20])]),
        case("invoke: more than the limit, to oneself", [to(CALLER, "POST", "echo").body(vec![b'x'; (4 << 20) + 1])]),
    ]
}

fn answers() -> Vec<Case> {
    let mut all = Vec::new();
    for code in [
        200, 201, 202, 204, 205, 206, 301, 304, 307, 400, 401, 403, 404, 405, 409, 413, 418, 429, 500, 501, 502, 503,
        504,
    ] {
        all.push(case(
            format!("invoke: the application answers {code}"),
            [to("callee", "GET", &format!("status/{code}"))],
        ));
    }
    for (name, path) in [
        ("nothing", "empty"),
        ("chunks", "chunks"),
        ("odd headers", "headers"),
        ("a redirect", "redirect"),
        ("bytes", "bytes"),
        ("five mebibytes", "big/5242880"),
        ("something of no type", "untyped/200"),
        ("a failure of no type", "untyped/500"),
    ] {
        all.push(case(format!("invoke: the application answers {name}"), [to("callee", "GET", path)]));
        all.push(case(format!("invoke: oneself answers {name}"), [to(CALLER, "GET", path)]));
    }
    all
}

fn addresses() -> Vec<Case> {
    let basic = |credentials: &str| dapr(CALLER, "POST", "/echo/x?y=1").header("authorization", credentials);
    vec![
        case("invoke: by header", [dapr(CALLER, "POST", "/echo/x?y=1").header("dapr-app-id", "callee").body("b")]),
        case("invoke: by header, to oneself", [dapr(CALLER, "GET", "/echo").header("dapr-app-id", "caller")]),
        case("invoke: by header, to nobody", [dapr(CALLER, "GET", "/echo").header("dapr-app-id", "nobody")]),
        case("invoke: by header and by path", [to("callee", "GET", "echo").header("dapr-app-id", "caller")]),
        case(
            "invoke: by header, a path of the API",
            [dapr(CALLER, "GET", "/v1.0/healthz").header("dapr-app-id", "callee")],
        ),
        case("invoke: by header, the root", [dapr(CALLER, "GET", "/").header("dapr-app-id", "callee")]),
        // dapr-app-id:callee
        case("invoke: by basic authentication", [basic("Basic ZGFwci1hcHAtaWQ6Y2FsbGVl")]),
        // Dapr-App-Id:callee
        case("invoke: by basic authentication in another case", [basic("Basic RGFwci1BcHAtSWQ6Y2FsbGVl")]),
        // other:callee
        case("invoke: by basic authentication of another name", [basic("Basic b3RoZXI6Y2FsbGVl")]),
        // dapr-app-id:callee:x
        case("invoke: by basic authentication with two colons", [basic("Basic ZGFwci1hcHAtaWQ6Y2FsbGVlOng=")]),
        case("invoke: by broken basic authentication", [basic("Basic !!!")]),
        case("invoke: nobody asked for", [dapr(CALLER, "POST", "/echo")]),
        case("invoke: an unknown application", [to("unheard-of", "GET", "echo")]),
        case("invoke: an application with a namespace", [to("callee.default", "GET", "echo")]),
        case("invoke: an application that is down", [to("down", "GET", "echo")]),
        case("invoke: a sidecar without an application", [to("bare", "GET", "echo")]),
        case("invoke: an application that lets nobody in", [to("closed", "GET", "echo")]),
        case("invoke: an id with odd letters", [to("no%20one", "GET", "echo")]),
        case("invoke: an address in place of an id", [to("http:%2F%2F{app:callee}", "GET", "echo")]),
        case("invoke: an address in place of an id, unescaped", [to("http://{app:callee}", "GET", "echo/deep")]),
        case("invoke: an address that nobody listens on", [to("http:%2F%2F127.0.0.1:1", "GET", "echo")]),
        case("invoke: an address with a path", [to("http:%2F%2F{app:callee}%2Fbase", "GET", "echo?a=1")]),
        case("invoke: an endpoint", [to("outside", "POST", "echo?a=1").header("x-mine", "given").body("x")]),
        case("invoke: the root of an endpoint", [to("outside", "GET", "")]),
        case("invoke: an endpoint by header", [dapr(CALLER, "GET", "/echo").header("dapr-app-id", "outside")]),
        case("invoke: an endpoint that nobody listens on", [to("nowhere", "GET", "echo")]),
        case("invoke: an endpoint that others have", [to("not-for-caller", "GET", "echo")]),
        case("invoke: baggage with properties", [to("callee", "GET", "echo").header("baggage", "a=1;p;q = 2 ,b=%20")]),
        case("invoke: baggage twice", [to("callee", "GET", "echo").header("baggage", "a=1").header("baggage", "b=2")]),
        case(
            "invoke: baggage twice, of oneself",
            [to(CALLER, "GET", "echo").header("baggage", "a=1").header("baggage", "b=2")],
        ),
        case("invoke: baggage that is none", [to("callee", "GET", "echo").header("baggage", "novalue,a b=1,c=x y")]),
        case("invoke: baggage with a bad escape", [to("callee", "GET", "echo").header("baggage", "d=%zz,e=1;=,f=%")]),
        case("invoke: baggage without anything", [to("callee", "GET", "echo").header("baggage", "")]),
        case("health: baggage that is none", [dapr(CALLER, "GET", "/v1.0/healthz").header("baggage", "novalue")]),
        case("invoke: long headers", [to("callee", "GET", "echo").header("x-long", &"x".repeat(7000))]),
        case("invoke: headers over the limit", [to("callee", "GET", "echo").header("x-long", &"x".repeat(9000))]),
        case("invoke: a path over the limit", [to("callee", "GET", &"x".repeat(9000))]),
        case("invoke: the application directly", [app("callee", "POST", "/echo").body("x")]),
    ]
}
