//! HTTP middleware in front of the Dapr API (`spec.httpPipeline`) or of the application (`spec.appHttpPipeline`).
//! Follows `components-contrib/middleware/http`.

mod bearer;
mod rate_limit;
mod route_alias;
mod route_checker;
mod uppercase;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use dapr_building_blocks::Properties;
use dapr_runtime::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response};

pub use bearer::{Bearer, Fetch};

/// An HTTP middleware.
#[async_trait]
pub trait Middleware: Send + Sync {
    /// Responds to a request, by itself or with the response of [`Next::run`]. Either may be changed.
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body>;
}

/// Types of HTTP middleware that daprlet has, without their prefix `middleware.http.`.
pub const TYPES: &[&str] = &["bearer", "ratelimit", "routeralias", "routerchecker", "uppercase", "wasm"];

/// Creates the middleware `middleware.http.NAME`, if it needs only its properties.
///
/// # Errors
/// When a property is invalid.
pub fn create(name: &str, properties: &Properties) -> Result<Arc<dyn Middleware>, String> {
    Ok(match name {
        "ratelimit" => Arc::new(rate_limit::RateLimit::new(properties)?),
        "routeralias" => Arc::new(route_alias::RouteAlias::new(properties)?),
        "routerchecker" => Arc::new(route_checker::RouteChecker::new(properties)?),
        "uppercase" => Arc::new(uppercase::Uppercase::new(properties)),
        _ => return Err(format!("there is no middleware.http.{name}; there are {}", TYPES.join(", "))),
    })
}

/// Middleware in order; the first sees a request first and a response last.
#[derive(Clone, Default)]
pub struct Pipeline(Vec<Arc<dyn Middleware>>);

impl Pipeline {
    /// Creates a pipeline.
    #[must_use]
    pub fn new(middleware: Vec<Arc<dyn Middleware>>) -> Self {
        Self(middleware)
    }

    /// Passes a request through all middleware to `endpoint`, and its response back.
    pub async fn run<'a, F>(
        &'a self,
        request: Request<Body>,
        endpoint: impl FnOnce(Request<Body>) -> F + Send + 'a,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>> + Send + 'a,
    {
        Next { rest: &self.0, endpoint: Box::new(|request| Box::pin(endpoint(request))) }.run(request).await
    }
}

/// The rest of a pipeline, and the endpoint behind it.
pub struct Next<'a> {
    rest: &'a [Arc<dyn Middleware>],
    endpoint: Box<dyn FnOnce(Request<Body>) -> BoxFuture<'a, Response<Body>> + Send + 'a>,
}

impl Next<'_> {
    /// Passes a request on and returns the response to it.
    pub async fn run(self, request: Request<Body>) -> Response<Body> {
        match self.rest.split_first() {
            Some((first, rest)) => first.handle(request, Next { rest, ..self }).await,
            None => (self.endpoint)(request).await,
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Next").field("middleware", &self.rest.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use dapr_runtime::empty_body;
    use http::HeaderValue;

    use super::*;

    /// Sends `GET target` through `middleware`; returns the target at the endpoint, or the middleware's response.
    pub(super) async fn pass(middleware: &dyn Middleware, target: &str) -> Result<String, Response<Body>> {
        let mut reached = None;
        let endpoint = |request: Request<Body>| {
            reached = Some(request.uri().to_string());
            Box::pin(async { Response::new(empty_body()) }) as BoxFuture<'static, _>
        };
        let request = Request::get(target).body(empty_body()).unwrap();
        let response = middleware.handle(request, Next { rest: &[], endpoint: Box::new(endpoint) }).await;
        reached.ok_or(response)
    }

    /// Appends its name to a header in both directions. Responds itself if the flag is set.
    struct Mark(&'static str, bool);

    #[async_trait]
    impl Middleware for Mark {
        async fn handle(&self, mut request: Request<Body>, next: Next<'_>) -> Response<Body> {
            if self.1 {
                return Response::new(empty_body());
            }
            request.headers_mut().append("seen", HeaderValue::from_static(self.0));
            let mut response = next.run(request).await;
            response.headers_mut().append("seen", HeaderValue::from_static(self.0));
            response
        }
    }

    /// Collects the marks that the endpoint and then the client see.
    async fn seen(marks: Vec<Mark>) -> (Option<Vec<String>>, Vec<String>) {
        let pipeline = Pipeline::new(marks.into_iter().map(|mark| Arc::new(mark) as Arc<dyn Middleware>).collect());
        let names = |headers: &http::HeaderMap| -> Vec<String> {
            headers.get_all("seen").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let mut by_endpoint = None;
        let endpoint = async |request: Request<Body>| {
            by_endpoint = Some(names(request.headers()));
            Response::new(empty_body())
        };
        let response = pipeline.run(Request::new(empty_body()), endpoint).await;
        (by_endpoint, names(response.headers()))
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[tokio::test]
    async fn requests_pass_in_order_and_responses_in_reverse() {
        let seen = seen(vec![Mark("a", false), Mark("b", false)]).await;
        assert_eq!(seen, (Some(strings(&["a", "b"])), strings(&["b", "a"])));
    }

    #[tokio::test]
    async fn response_by_middleware_ends_the_pipeline() {
        let seen = seen(vec![Mark("a", false), Mark("b", true), Mark("c", false)]).await;
        assert_eq!(seen, (None, strings(&["a"])));
    }

    #[test]
    fn unknown_middleware_is_an_error() {
        assert!(create("oauth2", &Properties::default()).err().unwrap().contains("ratelimit, routeralias"));
    }
}
