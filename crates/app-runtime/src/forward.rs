//! What happens to headers between two applications: `dapr/pkg/messaging/v1/util.go`, `direct_messaging.go` and
//! `pkg/channel/http/http_channel.go`.

use http::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response};
use uuid::Uuid;

/// Headers that mean one connection, or that the sidecar writes itself.
const NOT_FORWARDED: &[&str] = &[
    "connection",
    "content-length",
    "dapr-callee-app-id",
    "dapr-caller-app-id",
    "dapr-caller-namespace",
    "dapr-api-token",
    "destination-app-id",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Where the caller is; all callers here are in this process or on this machine.
const HERE: &str = "127.0.0.1";
/// Dapr's name for the namespace when none is configured.
const NAMESPACE: &str = "default";

/// Rewrites the headers of a request from `caller` to `callee`.
pub(crate) fn request<B>(request: &mut Request<B>, caller: &str, callee: &str) {
    let headers = request.headers_mut();
    filter(headers);
    headers.remove(HOST);
    if !headers.contains_key("traceparent") {
        set(headers, "traceparent", &new_trace());
    }
    // Dapr calls an application's own methods without a detour, and without these.
    if caller == callee {
        return;
    }
    append(headers, "x-forwarded-for", HERE);
    append(headers, "x-forwarded-host", HERE);
    append(headers, "forwarded", &format!("for={HERE};by={HERE};host={HERE}"));
    set(headers, "dapr-caller-app-id", caller);
    set(headers, "dapr-callee-app-id", callee);
    set(headers, "dapr-caller-namespace", NAMESPACE);
}

/// Rewrites the headers of an answer.
pub(crate) fn response<B>(response: &mut Response<B>) {
    filter(response.headers_mut());
}

fn filter(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in NOT_FORWARDED {
        headers.remove(*name);
    }
    let binary: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().ends_with("-bin")).cloned().collect();
    for name in binary {
        headers.remove(name);
    }
}

/// A new W3C trace that nobody samples.
fn new_trace() -> String {
    let (trace, span) = (Uuid::new_v4().simple(), Uuid::new_v4().as_u64_pair().0);
    format!("00-{trace}-{span:016x}-00")
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn append(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(headers: &[(&'static str, &str)], caller: &str) -> HeaderMap {
        let mut it = Request::new(());
        for (name, value) in headers {
            it.headers_mut().append(*name, value.parse().unwrap());
        }
        request(&mut it, caller, "callee");
        it.headers().clone()
    }

    #[test]
    fn connection_headers_stay_and_the_others_go_through() {
        let given = [
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("grpc-trace-bin", "x"),
            ("x-mine", "a"),
            ("x-mine", "b"),
            ("content-type", "image/png"),
        ];
        let headers = forwarded(&given, "callee");
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(headers.get_all("x-mine").iter().count(), 2);
        assert!(headers.contains_key("content-type") && headers.contains_key("traceparent"));
    }

    #[test]
    fn the_callers_identity_is_the_sidecars_word_and_never_a_header() {
        let headers =
            forwarded(&[("dapr-caller-app-id", "somebody-else"), ("x-forwarded-for", "203.0.113.9")], "caller");
        assert_eq!(headers["dapr-caller-app-id"], "caller");
        assert_eq!(headers["dapr-callee-app-id"], "callee");
        let chain: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        assert_eq!(chain, ["203.0.113.9", HERE]);
    }

    #[test]
    fn a_trace_is_passed_on_or_begun() {
        let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(forwarded(&[("traceparent", known)], "caller")["traceparent"], known);
        assert_eq!(forwarded(&[], "caller")["traceparent"].len(), known.len());
    }
}
