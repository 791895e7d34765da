//! The three services, called directly and through Dapr.

mod events;
mod pictures;

use crate::case::{Case, Step, app, case, dapr};

const GRAYSCALE: &str = "image-api-grayscale";
const CLASSIFY: &str = "image-api-classify";
const EVENTS: &str = "events-service";

pub(crate) fn cases() -> anyhow::Result<Vec<Case>> {
    let mut all = composed()?;
    all.push(pictures::too_long());
    all.extend(pictures::limits()?);
    all.extend(pictures::outage()?);
    Ok(all)
}

/// Returns the cases that also work under `wasmtime serve`.
///
/// It hides the client's address, so that users cannot be distinguished.
pub(crate) fn composed() -> anyhow::Result<Vec<Case>> {
    // Events come first: they expect an empty table.
    let mut all = events::cases();
    all.extend(basics());
    all.extend(pictures::cases()?);
    Ok(all)
}

/// Adds the address of a user that no other case has.
fn by_user(step: Step) -> Step {
    step.header("x-forwarded-for", "{user}")
}

fn basics() -> Vec<Case> {
    let mut all = Vec::new();
    for service in [GRAYSCALE, CLASSIFY, EVENTS] {
        for (method, path) in [
            ("GET", "/"),
            ("HEAD", "/"),
            ("POST", "/"),
            ("GET", "/healthz"),
            ("GET", "/nowhere"),
            ("GET", "//"),
            ("DELETE", "/healthz"),
            ("GET", "/grayscale"),
            ("PUT", "/classify"),
            ("GET", "/create_event"),
            ("PATCH", "/events"),
            ("GET", "/init"),
        ] {
            all.push(case(format!("{service}: {method} {path}"), [by_user(app(service, method, path))]));
        }
        let preflight = app(service, "OPTIONS", "/")
            .header("origin", "http://elsewhere.test")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        all.push(case(format!("{service}: a page asks whether it may"), [preflight]));
        all.push(case(
            format!("{service}: a page asks"),
            [app(service, "GET", "/").header("origin", "http://elsewhere.test")],
        ));
        let invoked = dapr(GRAYSCALE, "GET", format!("/v1.0/invoke/{service}/method/"));
        all.push(case(format!("{service}: invoked"), [invoked]));
        let unknown = dapr(GRAYSCALE, "GET", format!("/v1.0/invoke/{service}/method/nowhere"));
        all.push(case(format!("{service}: invoked at an unknown path"), [unknown]));
    }
    all
}
