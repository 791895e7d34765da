//! Odd keys, odd values, odd bodies.

use super::Store;
use crate::case::{Case, case};

pub(super) fn cases(on: &Store) -> Vec<Case> {
    let mut all = values(on);
    all.extend(keys(on));
    all.extend(bodies(on));
    all
}

fn values(on: &Store) -> Vec<Case> {
    let mut all = Vec::new();
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for (name, value) in [
        ("a string with escapes", r#""a\"b\\c\n\t\u0001""#),
        ("a string with HTML", r#""<a href='x'>&</a>""#),
        ("a string with Unicode", r#""äöü € 😀 \u2028 \ud83d\ude00""#),
        ("half a surrogate pair", r#""\ud83d""#),
        ("an empty string", r#""""#),
        ("a number", "42"),
        ("a fraction", "0.1"),
        ("a fraction of zero", "1.0"),
        ("a large number", "9007199254740993"),
        ("a number with an exponent", "1e21"),
        ("a small number", "1e-7"),
        ("minus zero", "-0"),
        ("a number out of range", "1e999"),
        ("true", "true"),
        ("null", "null"),
        ("an array", r#"[1, "two", null, {"three": 3}]"#),
        ("an object whose keys are in no order", r#"{"b":1,"a":2,"C":3,"":4}"#),
        ("an object with a key twice", r#"{"a":1,"a":2}"#),
        ("white space", " {\n\t\"a\" : 1 } "),
        ("a deep array", deep.as_str()),
    ] {
        let body = format!(r#"[{{"key":"{{key}}","value":{value}}}]"#);
        all.push(case(format!("a value: {name}"), [on.save(&body), on.get("{key}")]));
    }
    let large = format!(r#"[{{"key":"{{key}}","value":"{}"}}]"#, "x".repeat(1 << 20));
    all.push(case("a value: a mebibyte", [on.save(&large), on.get("{key}")]));
    all.push(case("a value: none", [on.save(r#"[{"key":"{key}"}]"#), on.get("{key}")]));
    let typed = r#"[{"key":"{key}","value":"a","contentType":"text/plain","metadata":{"contentType":"text/plain"}}]"#;
    all.push(case("a value: with a content type", [on.save(typed), on.get("{key}")]));
    all
}

fn keys(on: &Store) -> Vec<Case> {
    let mut all = Vec::new();
    for (name, key, escaped) in [
        ("a space", "{key} x", "{key}%20x"),
        ("a plus for a space", "{key} y", "{key}+y"),
        ("a slash", "{key}/x", "{key}%2Fx"),
        ("a percent sign", "{key}%41", "{key}%2541"),
        ("Unicode", "{key}ä€", "{key}%C3%A4%E2%82%AC"),
        ("a question mark", "{key}?x", "{key}%3Fx"),
        ("one bar", "{key}|x", "{key}%7Cx"),
        ("two bars", "{key}||x", "{key}%7C%7Cx"),
        ("a colon and an at sign", "{key}:x@y", "{key}:x@y"),
        ("dots", "{key}..x", "{key}..x"),
        ("upper case", "{key}ABC", "{key}ABC"),
    ] {
        let body = format!(r#"[{{"key":"{key}","value":1}}]"#);
        all.push(case(
            format!("a key with {name}"),
            [on.save(&body), on.get(escaped), on.delete(escaped), on.get(escaped)],
        ));
    }
    let long = "k".repeat(1000);
    let body = format!(r#"[{{"key":"{{key}}{long}","value":1}}]"#);
    all.push(case("a key of a thousand letters", [on.save(&body), on.get(&format!("{{key}}{long}"))]));
    all.push(case("a key that is empty", [on.save(r#"[{"key":"","value":1}]"#), on.get("")]));
    all.push(case("a path with a slash too many", [on.save(r#"[{"key":"{key}","value":1}]"#), on.get("/{key}/")]));
    all.push(case("a path with a segment too many", [on.get("{key}/x")]));
    all.push(case("a path with a bad escape", [on.get("{key}%zz")]));
    all
}

fn bodies(on: &Store) -> Vec<Case> {
    let mut all = Vec::new();
    for (name, body) in [
        ("an empty array", "[]"),
        ("nothing", ""),
        ("null", "null"),
        ("an object", r#"{"key":"{key}","value":1}"#),
        ("half an array", r#"[{"key":"{key}","value":1}"#),
        ("something after the array", r#"[{"key":"{key}","value":1}] x"#),
        ("no JSON", "hello"),
        ("a key that is missing", r#"[{"value":1}]"#),
        ("a key of null", r#"[{"key":null,"value":1}]"#),
        ("a key that is a number", r#"[{"key":5,"value":1}]"#),
        ("an etag that is a number", r#"[{"key":"{key}","value":1,"etag":5}]"#),
        ("metadata that is a list", r#"[{"key":"{key}","value":1,"metadata":[]}]"#),
        ("metadata with a number", r#"[{"key":"{key}","value":1,"metadata":{"ttlInSeconds":5}}]"#),
        ("options that are text", r#"[{"key":"{key}","value":1,"options":"first-write"}]"#),
        ("an item that is null", r#"[null]"#),
        ("an item that is text", r#"["{key}"]"#),
        ("fields nobody knows", r#"[{"key":"{key}","value":1,"colour":"red"}]"#),
        ("fields in another case", r#"[{"KEY":"{key}","Value":1}]"#),
        ("a trailing comma", r#"[{"key":"{key}","value":1},]"#),
        ("single quotes", "[{'key':'k'}]"),
        ("bytes that are no UTF-8", "\u{fffd}["),
    ] {
        all.push(case(format!("a body: {name}"), [on.save(body), on.get("{key}")]));
    }
    let plain = on.get("{key}");
    let mut save = on.save(r#"[{"key":"{key}","value":1}]"#);
    save.headers = vec![("content-type".into(), "text/plain".into())];
    all.push(case("a body: with another content type", [save, plain]));
    let chunks = on.save("").chunks(&[r#"[{"key":"in-"#, r#"chunks","value""#, ":1}]"]);
    all.push(case("a body: in chunks", [chunks, on.get("in-chunks"), on.delete("in-chunks")]));
    let too_large = format!(r#"[{{"key":"{{key}}","value":"{}"}}]"#, "x".repeat(5 << 20));
    all.push(case("a body: of five mebibytes", [on.save(&too_large)]));
    all
}
