//! Health, metadata, and unknown paths.

use crate::case::{Case, case, dapr};

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, app, method, target) in [
        ("health", "caller", "GET", "/v1.0/healthz"),
        ("health with a slash", "caller", "GET", "/v1.0/healthz/"),
        ("health of the right id", "caller", "GET", "/v1.0/healthz?appid=caller"),
        ("health of the wrong id", "caller", "GET", "/v1.0/healthz?appid=callee"),
        ("health by POST", "caller", "POST", "/v1.0/healthz"),
        ("health by HEAD", "caller", "HEAD", "/v1.0/healthz"),
        ("health of what is outside", "caller", "GET", "/v1.0/healthz/outbound"),
        ("health without an application", "bare", "GET", "/v1.0/healthz"),
        ("health with an application that is down", "down", "GET", "/v1.0/healthz"),
        ("outside health with an application that is down", "down", "GET", "/v1.0/healthz/outbound"),
        ("health of another version", "caller", "GET", "/v1.1/healthz"),
        ("metadata", "caller", "GET", "/v1.0/metadata"),
        ("metadata without components", "bare", "GET", "/v1.0/metadata"),
        ("metadata of an application that is down", "down", "GET", "/v1.0/metadata"),
        ("metadata of a configured sidecar", "closed", "GET", "/v1.0/metadata"),
        ("metadata by POST", "caller", "POST", "/v1.0/metadata"),
        ("the root", "caller", "GET", "/"),
        ("an unknown path", "caller", "GET", "/v1.0/unknown"),
        ("a path without a version", "caller", "GET", "/state/memory/k"),
        ("a state store without a key, by DELETE", "caller", "DELETE", "/v1.0/state/memory"),
        ("a state store without a key, by GET", "caller", "GET", "/v1.0/state/memory"),
        ("OPTIONS of a known path", "caller", "OPTIONS", "/v1.0/state/memory"),
        ("slashes too many", "caller", "GET", "//v1.0//healthz"),
        ("dots in a path", "caller", "GET", "/v1.0/x/../healthz"),
        ("escaped letters in a path", "caller", "GET", "/v1.0/%68ealthz"),
        ("upper case in a path", "caller", "GET", "/V1.0/healthz"),
    ] {
        all.push(case(name, [dapr(app, method, target)]));
    }
    all.push(case(
        "own metadata",
        [
            dapr("closed", "PUT", "/v1.0/metadata/colour").body("blue & <red>"),
            dapr("closed", "GET", "/v1.0/metadata"),
            dapr("closed", "PUT", "/v1.0/metadata/colour").body("green"),
            dapr("closed", "PUT", "/v1.0/metadata/empty"),
            dapr("closed", "PUT", "/v1.0/metadata/a%2Fb").body("slash"),
            dapr("closed", "GET", "/v1.0/metadata"),
        ],
    ));
    all
}
