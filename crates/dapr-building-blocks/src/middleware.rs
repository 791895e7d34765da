//! HTTP middleware, in front of the Dapr API (`spec.httpPipeline`) or of the application (`spec.appHttpPipeline`).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};

use crate::BoxError;

/// A streaming body.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Creates an empty body.
#[must_use]
pub fn empty_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Creates a body of the given bytes.
#[must_use]
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Address of a client outside the process, an extension of its requests.
///
/// Guests call their own Dapr within the process, and have none.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// HTTP middleware.
#[async_trait]
pub trait HttpMiddleware: Send + Sync {
    /// Responds to a request, by itself or with the response of [`Next::run`]. Either may be changed.
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body>;
}

/// Middleware in order; the first sees a request first and a response last.
#[derive(Clone, Default)]
pub struct Pipeline(Vec<Arc<dyn HttpMiddleware>>);

impl Pipeline {
    /// Creates a pipeline.
    #[must_use]
    pub fn new(middleware: Vec<Arc<dyn HttpMiddleware>>) -> Self {
        Self(middleware)
    }

    /// Returns whether there is no middleware.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
    rest: &'a [Arc<dyn HttpMiddleware>],
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
    use http::HeaderValue;

    use super::*;

    /// Appends its name to a header in both directions. Responds itself if the flag is set.
    struct Mark(&'static str, bool);

    #[async_trait]
    impl HttpMiddleware for Mark {
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
        let pipeline = Pipeline::new(marks.into_iter().map(|mark| Arc::new(mark) as Arc<dyn HttpMiddleware>).collect());
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
}
