//! Rewrites headers between two applications.
//!
//! As in `dapr/pkg/messaging/v1/util.go`, `direct_messaging.go` and `pkg/channel/http/http_channel.go`.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dapr_building_blocks::BoxError;
use dapr_building_blocks::middleware::Body;
use dapr_resources::configuration::access_control::NAMESPACE;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;

/// Headers that concern one connection, or that the sidecar writes itself.
const NOT_FORWARDED: &[&str] = &[
    "connection",
    "content-length",
    "dapr-callee-app-id",
    "dapr-caller-app-id",
    "dapr-caller-namespace",
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

/// Address of the caller; all callers here are in this process or on this machine.
const LOOPBACK: &str = "127.0.0.1";
/// Trace header that Dapr writes when no trace is active.
const NO_TRACE: &str = "00-00000000000000000000000000000000-0000000000000000-00";

/// Rewrites the headers of a request from `caller` to `callee`.
pub(crate) fn request<B>(request: &mut Request<B>, caller: &str, callee: &str) {
    let headers = request.headers_mut();
    filter(headers);
    headers.remove(HOST);
    // Dapr forwards only the first of several.
    if let Some(first) = headers.get("baggage").cloned() {
        headers.insert("baggage", first);
    }
    if !headers.contains_key("traceparent") {
        set(headers, "traceparent", NO_TRACE);
    }
    // For an application's own methods Dapr adds none of the headers below.
    if caller == callee {
        return;
    }
    append(headers, "x-forwarded-for", LOOPBACK);
    let host = host_name();
    append(headers, "x-forwarded-host", host);
    append(headers, "forwarded", &format!("for={LOOPBACK};by={LOOPBACK};host={host}"));
    set(headers, "dapr-caller-app-id", caller);
    set(headers, "dapr-callee-app-id", callee);
    set(headers, "dapr-caller-namespace", NAMESPACE);
}

/// Rewrites the headers of a response.
pub(crate) fn response<B>(response: &mut Response<B>) {
    filter(response.headers_mut());
}

/// Adds `Content-Length: 0` where a body is usual and missing: some servers require it (411).
pub(crate) fn declare_empty(request: &mut Request<Body>) {
    let has_usually = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if has_usually && request.body().is_end_stream() {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// Passes a response body on as daprd does.
///
/// A body that breaks off ends there without an error, and without the length that the application had promised.
pub(crate) fn lenient(body: Body) -> Body {
    if body.is_end_stream() { body } else { Lenient(body).boxed_unsync() }
}

struct Lenient(Body);

impl HttpBody for Lenient {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.0).poll_frame(context));
        Poll::Ready(match frame {
            Some(Err(error)) => {
                tracing::warn!(%error, "an application's response body broke off");
                None
            }
            frame => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
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
    let is_special = |name: &HeaderName| is_binary(name) || name.as_str().starts_with("grpc-");
    let special: Vec<HeaderName> = headers.keys().filter(|name| is_special(name)).cloned().collect();
    for name in special {
        let values: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
        headers.remove(&name);
        // Two sidecars speak gRPC with each other: headers reserved by gRPC are forwarded under another name.
        if let Ok(renamed) = HeaderName::from_bytes(format!("dapr-{name}").as_bytes())
            && !is_binary(&name)
        {
            values.into_iter().for_each(|value| {
                headers.append(&renamed, value);
            });
        }
    }
}

fn is_binary(name: &HeaderName) -> bool {
    name.as_str().ends_with("-bin")
}

/// Returns the name of this machine, as Dapr sends it to applications.
fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(system_name)
}

#[cfg(unix)]
fn system_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn system_name() -> String {
    "localhost".to_owned()
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
    fn connection_headers_are_dropped_and_others_forwarded() {
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
    fn caller_identity_headers_are_overwritten() {
        let headers =
            forwarded(&[("dapr-caller-app-id", "somebody-else"), ("x-forwarded-for", "203.0.113.9")], "caller");
        assert_eq!(headers["dapr-caller-app-id"], "caller");
        assert_eq!(headers["dapr-callee-app-id"], "callee");
        let chain: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        assert_eq!(chain, ["203.0.113.9", LOOPBACK]);
    }

    #[test]
    fn trace_header_is_forwarded_or_filled_in() {
        let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(forwarded(&[("traceparent", known)], "caller")["traceparent"], known);
        assert_eq!(forwarded(&[], "caller")["traceparent"], NO_TRACE);
    }
}
