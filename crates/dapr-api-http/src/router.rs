//! Routes a request to an endpoint, as Dapr's router does: `dapr/pkg/api/http/server.go`.

use dapr_runtime::{ApiError, Body, Sidecar, clean};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response};
use percent_encoding::percent_decode_str;

use crate::api::{self, invoke};
use crate::query::Query;

/// All endpoints but that of invocation, which takes what is left.
const ENDPOINTS: &[&[Endpoint]] = &[
    api::bindings::ENDPOINTS,
    api::configuration::ENDPOINTS,
    api::health::ENDPOINTS,
    api::lock::ENDPOINTS,
    api::metadata::ENDPOINTS,
    api::pubsub::ENDPOINTS,
    api::secrets::ENDPOINTS,
    api::shutdown::ENDPOINTS,
    api::state::ENDPOINTS,
    api::unimplemented::ENDPOINTS,
];

/// One endpoint of the API, as in the tables of `dapr/pkg/api/http/*.go`.
pub(crate) struct Endpoint {
    /// Methods; empty for any.
    pub(crate) methods: &'static [Method],
    pub(crate) version: Version,
    /// Path after the version: `{name}` matches a segment, and at the end `*` or `{name*}` one or more.
    pub(crate) route: &'static str,
    /// Group for the allow and deny lists of a Configuration; `None` if always allowed.
    pub(crate) group: Option<&'static str>,
    /// Name of the operation.
    pub(crate) name: &'static str,
    /// Callers for whom the endpoint is.
    pub(crate) audience: Audience,
    /// Responds to a request.
    pub(crate) handler: Handler,
}

/// Version of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V1Alpha1,
    V1Alpha2,
    V1Beta1,
}

/// Methods of most endpoints that write.
pub(crate) const POST_OR_PUT: &[Method] = &[Method::POST, Method::PUT];

/// Responds to a request.
pub(crate) type Handler = for<'a> fn(Call<'a>) -> BoxFuture<'a, Result<Response<Body>, ApiError>>;

/// Callers of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The application, with its API token and through its middleware.
    App,
    /// Also callers of the public port (`--dapr-public-port`), without a token.
    Public,
    /// Everyone, on either port, without a token or middleware.
    Everyone,
}

/// A request to an endpoint.
pub(crate) struct Call<'a> {
    pub(crate) sidecar: &'a Sidecar,
    pub(crate) endpoint: &'static Endpoint,
    parameters: Vec<(&'static str, String)>,
    pub(crate) query: Query,
    pub(crate) request: Request<Body>,
}

impl Call<'_> {
    /// Returns the parameter `name` of the route, decoded.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Reads the body.
    pub(crate) async fn body(self) -> Result<bytes::Bytes, ApiError> {
        self.sidecar.read_body(self.request.into_body()).await
    }
}

/// The endpoint of a request, and the parameters of its route.
pub(crate) struct Route {
    pub(crate) endpoint: &'static Endpoint,
    parameters: Vec<(&'static str, String)>,
}

impl Route {
    /// Routes `method` and the escaped `path`. Anything that is no endpoint is an invocation.
    pub(crate) fn find(method: &Method, path: &str) -> Self {
        let cleaned = clean(path);
        let (version, rest) = cleaned.trim_start_matches('/').split_once('/').unwrap_or_default();
        let endpoints = ENDPOINTS.iter().copied().flatten();
        let mut found = endpoints
            .filter(|endpoint| endpoint.version.in_path() == version && endpoint.has_method(method))
            .filter_map(|endpoint| Some(Self { endpoint, parameters: endpoint.parameters(rest)? }));
        found.next().unwrap_or_else(Self::invocation)
    }

    /// The route of an invocation.
    pub(crate) fn invocation() -> Self {
        Self { endpoint: &invoke::ENDPOINT, parameters: Vec::new() }
    }

    /// Passes a request to the endpoint.
    pub(crate) async fn call(self, sidecar: &Sidecar, request: Request<Body>) -> Result<Response<Body>, ApiError> {
        let Self { endpoint, parameters } = self;
        let query = Query::parse(request.uri());
        (endpoint.handler)(Call { sidecar, endpoint, parameters, query, request }).await
    }
}

impl Version {
    const fn in_path(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::V1Alpha1 => "v1.0-alpha1",
            Self::V1Alpha2 => "v1.0-alpha2",
            Self::V1Beta1 => "v1.0-beta1",
        }
    }

    /// Returns the version in the terms of a Configuration.
    pub(crate) const fn in_configuration(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Alpha1 => "v1alpha1",
            Self::V1Alpha2 => "v1alpha2",
            Self::V1Beta1 => "v1beta1",
        }
    }
}

impl Endpoint {
    /// Declares an endpoint for the application.
    pub(crate) const fn new(
        methods: &'static [Method],
        version: Version,
        route: &'static str,
        group: Option<&'static str>,
        name: &'static str,
        handler: Handler,
    ) -> Self {
        Self { methods, version, route, group, name, audience: Audience::App, handler }
    }

    /// Declares other callers.
    pub(crate) const fn with_audience(self, audience: Audience) -> Self {
        Self { audience, ..self }
    }

    fn has_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }

    /// Matches the path after the version; returns the parameters, decoded.
    fn parameters(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut parameters = Vec::new();
        let mut segments = path.split('/');
        for part in self.route.split('/') {
            if let Some(name) = part.strip_prefix('{').and_then(|name| name.strip_suffix("*}")) {
                let rest: Vec<_> = segments.collect();
                parameters.push((name, unescape(&rest.join("/"))));
                return (!rest.is_empty()).then_some(parameters);
            }
            let segment = segments.next()?;
            match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => parameters.push((name, unescape(segment))),
                None if part == "*" => return Some(parameters),
                None if part == segment => {}
                None => return None,
            }
        }
        segments.next().is_none().then_some(parameters)
    }
}

/// Unescapes like Go's `url.QueryUnescape`: `+` is a space. Invalid UTF-8 is replaced, since keys are text here.
pub(crate) fn unescape(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> (&'static str, Vec<(&'static str, String)>) {
        let Route { endpoint, parameters } = Route::find(&method.parse().unwrap(), path);
        (endpoint.name, parameters)
    }

    #[test]
    fn paths_are_cleaned_and_parameters_decoded_as_query_values() {
        let expected = vec![("store", "s".to_owned()), ("key", "a b/c".to_owned())];
        assert_eq!(route("GET", "/v1.0//state/./s/a+b%2Fc/"), ("GetState", expected));
        assert_eq!(route("GET", "/v1.0/healthz/").0, "Healthz");
        assert_eq!(route("PUT", "/v1.0/state/s/bulk"), ("GetBulkState", vec![("store", "s".to_owned())]));
        assert_eq!(route("GET", "/v1.0/state/s/bulk").0, "GetState");
        let expected = vec![("pubsub", "p".to_owned()), ("topic", "a/b c".to_owned())];
        assert_eq!(route("POST", "/v1.0/publish/p/a/b%20c"), ("PublishEvent", expected));
    }

    #[test]
    fn endpoints_of_missing_blocks_are_not_invocations() {
        for (method, path, name) in [
            ("POST", "/v1.0-alpha1/jobs/n", "the jobs API"),
            ("DELETE", "/v1.0/actors/t/i/timers/n", "the actors API"),
            ("POST", "/v1.0-beta1/workflows/dapr/w/start", "the workflow API"),
            ("POST", "/v1.0-alpha2/conversation/c/converse", "the conversation API"),
        ] {
            assert_eq!(route(method, path).0, name, "{method} {path}");
        }
        for path in ["/v1.0/crypto/s", "/publish/p/t", "/v1.0/publish/p", "/v1.0-alpha2/jobs/n"] {
            assert_eq!(route("POST", path).0, "CallLocal", "{path}");
        }
    }

    #[test]
    fn unknown_paths_and_wrong_methods_are_invocations() {
        for (method, path) in [
            ("DELETE", "/v1.0/state/s"),
            ("GET", "/v1.0/state/s/a/b"),
            ("POST", "/foo"),
            ("GET", "/"),
            ("POST", "/v1.0/healthz"),
            ("POST", "/v1.0/invoke/app/method/m"),
        ] {
            assert_eq!(route(method, path).0, "CallLocal", "{method} {path}");
        }
    }
}
