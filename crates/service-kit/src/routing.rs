//! Routing from method and path to an endpoint.

use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};

use crate::{App, Problem, Route};

/// The target of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<E> {
    /// `GET /`: the service's description.
    Description,
    /// `GET /healthz`: the service's health.
    Health,
    /// `OPTIONS` of any existing path: a CORS preflight, or Dapr probing for a binding.
    Options,
    /// A route of the service itself.
    Own(E),
}

/// Routes that every service has.
const COMMON: &[Route<Target<()>>] = &[
    Route::get("/", Target::Description, "describes this service"),
    Route::get("/healthz", Target::Health, "says whether this service can do its work, and what is missing"),
];

/// Finds the target of a request.
pub(crate) fn find<A: App>(method: &Method, path: &str) -> Result<Target<A::Endpoint>, Problem> {
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    if let Some(route) = A::ROUTES.iter().find(|route| route.path == path && route.method == *wanted) {
        return Ok(Target::Own(route.endpoint));
    }
    if let Some(route) = COMMON.iter().find(|route| route.path == path && route.method == *wanted) {
        return Ok(if route.endpoint == Target::Health { Target::Health } else { Target::Description });
    }
    let methods = methods_of::<A>(path);
    if methods.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is nothing here; GET / lists what there is"));
    }
    if method == Method::OPTIONS {
        return Ok(Target::Options);
    }
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method");
    Err(problem.with_header(ALLOW, allow::<A>(path)))
}

/// Returns the `Allow` header of a path.
pub(crate) fn allow<A: App>(path: &str) -> HeaderValue {
    let mut methods: Vec<&str> = Vec::new();
    for method in methods_of::<A>(path) {
        methods.push(method.as_str());
        if method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.push("OPTIONS");
    // Method names are valid header values.
    HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

/// Lists all routes as method, path and summary.
pub(crate) fn listing<A: App>() -> impl Iterator<Item = (&'static Method, &'static str, &'static str)> {
    let common = COMMON.iter().map(|route| (&route.method, route.path, route.about));
    common.chain(A::ROUTES.iter().map(|route| (&route.method, route.path, route.about)))
}

fn methods_of<A: App>(path: &str) -> Vec<&'static Method> {
    listing::<A>().filter(|(_, own, _)| *own == path).map(|(method, _, _)| method).collect()
}
