//! Publishing, and what the application gets of it.

use crate::case::{Case, Step, case, dapr};

const APP: &str = "subscriber";

pub(crate) fn cases() -> Vec<Case> {
    let all = [validation(), scopes(), events(), deliveries(), routes(), bulk(), metadata(), outbox()].concat();
    all.into_iter().map(|case| Case { name: format!("pub/sub: {}", case.name), ..case }).collect()
}

fn publish(target: &str) -> Step {
    dapr(APP, "POST", format!("/v1.0/publish/{target}"))
}

/// Waits for a message of this case, which has `text`, and shows all of them.
fn received(text: &'static str) -> Step {
    dapr(APP, "GET", format!("/v1.0/invoke/{APP}/method/received/{{key}}")).until_body(text)
}

fn validation() -> Vec<Case> {
    let bulk = |body: &str| publish("bulk/messages/plain").json(body.to_owned());
    let mut all = vec![
        case("unknown broker", [publish("nowhere/plain"), publish("bulk/nowhere/plain").json("[]")]),
        case("unknown broker with metadata", [publish("nowhere/plain?metadata.a=1&metadata.b=2")]),
        case("no broker at all", [dapr("bare", "POST", "/v1.0/publish/messages/plain")]),
        case("no topic", [publish("messages"), publish("messages/"), publish("bulk/messages")]),
        case("a component that is no broker", [dapr("caller", "POST", "/v1.0/publish/memory/plain")]),
        case("rawPayload that is no boolean", [publish("messages/plain?metadata.rawPayload=maybe")]),
        case("another method", [dapr(APP, "GET", "/v1.0/publish/messages/plain")]),
        case("PUT", [dapr(APP, "PUT", "/v1.0/publish/messages/nobody")]),
        case("a topic that nobody subscribes to", [publish("messages/nobody").json("{}")]),
        case("an empty body", [publish("messages/nobody"), publish("messages/nobody").json("")]),
    ];
    for body in ["{", "[]", "5", "\"text\"", "null", ""] {
        let step = publish("messages/nobody").header("content-type", "application/cloudevents+json").body(body);
        all.push(case(format!("a CloudEvent that is {body:?}"), [step]));
    }
    for body in [
        "",
        "{",
        "{}",
        "null",
        "[]",
        "[5]",
        r#"[{"entryId":5}]"#,
        r#"[{"event":"a","contentType":"text/plain"}]"#,
        r#"[{"entryId":"","event":"a","contentType":"text/plain"}]"#,
        r#"[{"entryId":"1","event":"a","contentType":"text/plain"},{"entryId":"1","event":"b","contentType":"text/plain"}]"#,
        r#"[{"entryId":"1","event":{"a":1},"contentType":"text/plain"}]"#,
        r#"[{"entryId":"1","event":"*","contentType":"application/octet-stream"}]"#,
        r#"[{"entryId":"1","event":5,"contentType":"application/octet-stream"}]"#,
        r#"[{"entryId":"1","event":"a"}]"#,
        r#"[{"entryId":"1","event":[],"contentType":"application/cloudevents+json"}]"#,
    ] {
        all.push(case(format!("a bulk request of {body}"), [bulk(body)]));
    }
    all
}

fn scopes() -> Vec<Case> {
    ["open", "protected", "closed", "outside"]
        .map(|topic| {
            let body = r#"[{"entryId":"1","event":"a","contentType":"text/plain"}]"#;
            case(
                format!("scoped topic {topic}"),
                [publish(&format!("scoped/{topic}")), publish(&format!("bulk/scoped/{topic}")).json(body)],
            )
        })
        .into()
}

fn events() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, content_type, body) in [
        ("JSON", "application/json", r#"{"b":[1,2.50,12345678901234567890123],"a":"<{key}>"}"#),
        ("JSON with a charset", "application/json; charset=utf-8", r#""{key}""#),
        ("JSON that is none", "application/json", "{key"),
        ("text", "text/plain", "{key}"),
        ("XML", "application/xml", "<a>{key}</a>"),
        ("no content type", "", "{key}"),
        ("a CloudEvent", "application/cloudevents+json", r#"{"id":"7","data":"{key}","type":"order","n":1.50}"#),
        (
            "a whole CloudEvent",
            "application/cloudevents+json; charset=utf-8",
            r#"{"id":"7","specversion":"1.0","source":"shop","type":"order","topic":"x","pubsubname":"y","time":"now",
                "traceid":"mine","tracestate":"a=1","datacontenttype":"text/plain","data":"{key}","subject":null}"#,
        ),
    ] {
        let step = publish("messages/plain").body(body);
        let step = if content_type.is_empty() { step } else { step.header("content-type", content_type) };
        all.push(case(name, [step, received("POST")]));
    }
    let bytes = publish("messages/plain?metadata.key={key}").header("content-type", "application/octet-stream");
    all.push(case("bytes", [bytes.body(&b"\x00\xff"[..]), received("POST")]));
    let overrides = "metadata.cloudevent.id=1&metadata.cloudevent.source=shop&metadata.CloudEvent.Type=order\
        &metadata.cloudevent.subject=s&metadata.cloudevent.traceid=00-1&metadata.cloudevent.tracestate=a%3D1";
    all.push(case(
        "attributes from metadata",
        [publish(&format!("messages/plain?{overrides}")).json("\"{key}\""), received("POST")],
    ));
    let parent = "metadata.cloudevent.traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    all.push(case(
        "traceparent from metadata",
        [publish(&format!("messages/plain?{parent}")).json("\"{key}\""), received("POST")],
    ));
    all.push(case(
        "a time to live",
        [publish("messages/plain?metadata.ttlInSeconds=100").json("\"{key}\""), received("POST")],
    ));
    all.push(case(
        "a raw payload",
        [publish("messages/plain?metadata.rawPayload=true").json(r#"{"id":"{key}"}"#), received("POST")],
    ));
    all.push(case(
        "a raw payload to a raw subscription",
        [publish("messages/raw?metadata.rawPayload=true&metadata.key={key}").json("{}"), received("POST")],
    ));
    all.push(case(
        "a raw payload that is no JSON to a raw subscription",
        [publish("messages/raw?metadata.rawPayload=1&metadata.key={key}").body(&b"\xff"[..]), received("POST")],
    ));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    all.push(case(
        "the publisher's trace",
        [
            publish("messages/plain").header("traceparent", trace).header("tracestate", "a=1").json("\"{key}\""),
            received("POST"),
        ],
    ));
    all
}

fn deliveries() -> Vec<Case> {
    let mut all = vec![
        case("any status of success", [publish("messages/created").json("\"{key}\""), received("POST")]),
        case("a topic with slashes by a pattern", [publish("messages/wild/a/b").json("\"{key}\""), received("wild")]),
        case("a declared subscription", [publish("messages/declared").json("\"{key}\""), received("POST")]),
        case(
            "a declared subscription that is replaced",
            [publish("messages/replaced").json("\"{key}\""), received("POST")],
        ),
        case(
            "a lost message, and the next",
            [
                publish("messages/lost").json("\"first {key}\""),
                publish("messages/lost").json("\"second {key}\""),
                received("second"),
            ],
        ),
        case(
            "an expired event",
            [
                publish("messages/plain")
                    .header("content-type", "application/cloudevents+json")
                    .body(r#"{"id":"7","data":"expired {key}","expiration":"2020-01-01T00:00:00Z"}"#),
                publish("messages/plain").json("\"later {key}\""),
                received("later"),
            ],
        ),
    ];
    for topic in ["failing", "missing", "dropping", "retrying", "odd"] {
        let steps = [publish(&format!("messages/{topic}")).json("\"{key}\""), received("/dead")];
        all.push(case(format!("dead letter of {topic}"), steps));
    }
    all
}

fn routes() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, query, body) in [
        ("by type", "?metadata.cloudevent.type=a", r#"{"n":10,"key":"{key}"}"#),
        ("by data", "?metadata.cloudevent.source=caller", r#"{"n":10,"key":"{key}"}"#),
        ("default", "?metadata.cloudevent.source=other", r#"{"n":10,"key":"{key}"}"#),
        ("smaller", "", r#"{"n":5,"key":"{key}"}"#),
    ] {
        all.push(case(
            format!("route {name}"),
            [publish(&format!("messages/routed{query}")).json(body), received("POST")],
        ));
    }
    for (name, topic, body) in [
        ("of a declared subscription", "declared-routed", r#""{key}""#),
        ("an equal number", "strict", r#"{"n":1.0,"key":"{key}"}"#),
        ("no rule matches: dead letter", "strict", r#"{"n":2,"key":"{key}"}"#),
        ("a rule that fails: dead letter", "strict", r#"{"key":"{key}"}"#),
        ("a rule on text: dead letter", "strict", r#"{"n":"1","key":"{key}"}"#),
    ] {
        all.push(case(format!("route: {name}"), [publish(&format!("messages/{topic}")).json(body), received("POST")]));
    }
    all
}

fn bulk() -> Vec<Case> {
    let entries = r#"[
        {"entryId":"1","event":"one {key}","contentType":"text/plain"},
        {"entryId":"2","event":{"a":"two {key}"},"contentType":"application/json","metadata":{"mine":"1","rawPayload":"false"}},
        {"entryId":"3","event":"dGhyZWU=","contentType":"application/octet-stream","metadata":{"key":"{key}"}}
    ]"#;
    let mut all = Vec::new();
    for version in ["v1.0", "v1.0-alpha1"] {
        let step = dapr(APP, "POST", format!("/{version}/publish/bulk/messages/nobody?metadata.a=1")).json(entries);
        all.push(case(format!("bulk publish, {version}"), [step]));
    }
    let one = |event: &str| {
        format!(r#"[{{"entryId":"1","event":{event},"contentType":"application/json","metadata":{{"k":"v"}}}}]"#)
    };
    all.push(case(
        "entry of a bulk publish",
        [publish("bulk/messages/plain?metadata.a=1").json(one("\"{key}\"")), received("POST")],
    ));
    for answer in ["SUCCESS", "RETRY", "DROP", "", "ODD"] {
        let body = format!(r#"{{"answer":"{answer}","key":"{{key}}"}}"#);
        let wait = if answer == "SUCCESS" { "/all" } else { "/dead" };
        let name = format!("bulk subscription that answers {answer:?}");
        all.push(case(name, [publish("messages/bulk").json(body), received(wait)]));
    }
    all.push(case(
        "bulk subscription, raw",
        [publish("messages/bulk-raw?metadata.rawPayload=true&metadata.key={key}").json("{}"), received("POST")],
    ));
    all
}

fn metadata() -> Vec<Case> {
    vec![case("subscriptions in the metadata", [dapr(APP, "GET", "/v1.0/metadata")])]
}

/// Transactions of one write each: `pubsub.in-memory` has one delivery at a time, which a second one would wait for.
fn outbox() -> Vec<Case> {
    // Its store announces more features in daprd than here, which is a difference of another case.
    const APP: &str = "resilient";
    let received = dapr(APP, "GET", format!("/v1.0/invoke/{APP}/method/received/{{key}}")).until_body("POST");
    let transact = |operations: &str| {
        let body = format!(r#"{{"operations":[{operations}]}}"#);
        dapr(APP, "POST", "/v1.0/state/outboxed/transaction").json(body)
    };
    let upsert = |value: &str, metadata: &str| {
        let request = format!(r#"{{"key":"{{key}}","value":{value},"metadata":{{{metadata}}}}}"#);
        format!(r#"{{"operation":"upsert","request":{request}}}"#)
    };
    let projection = upsert(r#""shown {key}""#, r#""outbox.projection":"true""#);
    let json = r#""contentType":"application/json""#;
    [
        ("text", upsert(r#""{key}""#, "")),
        ("JSON", upsert(r#"{"b":[1,2],"a":"{key}"}"#, json)),
        (
            "attributes",
            upsert(r#""{key}""#, r#""subject":"s","type":"order","source":"me","id":"7","ttlInSeconds":"100""#),
        ),
        ("a projection", format!("{},{projection}", upsert(r#""hidden {key}""#, ""))),
    ]
    .map(|(name, operations)| {
        case(
            format!("outbox: {name}"),
            [transact(&operations), received.clone(), dapr(APP, "GET", "/v1.0/state/outboxed/{key}")],
        )
    })
    .into()
}
