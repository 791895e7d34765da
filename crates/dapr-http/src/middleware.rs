//! HTTP middleware: what requests pass before they are answered (`spec.httpPipeline`), or before the application gets them
//! (`spec.appHttpPipeline`). Follows `components-contrib/middleware/http`.

mod rate_limit;
mod route_alias;
mod route_checker;
mod uppercase;

use std::sync::Arc;

use building_blocks::Properties;
use http::{Request, Response};
use sidecar::Body;

/// One middleware.
pub trait Middleware: Send + Sync {
    /// Passes a request on, perhaps changed, or answers it.
    ///
    /// # Errors
    /// The response, where the request goes no further.
    fn request(&self, request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
        Ok(request)
    }

    /// Passes a response on, perhaps changed.
    fn response(&self, response: Response<Body>) -> Response<Body> {
        response
    }
}

/// The component types that [`create`] makes, without their first part, `middleware.http.`.
pub const TYPES: &[&str] = &["ratelimit", "routeralias", "routerchecker", "uppercase"];

/// Makes the middleware `middleware.http.NAME`.
///
/// # Errors
/// What is wrong with its properties.
pub fn create(name: &str, properties: &Properties) -> Result<Arc<dyn Middleware>, String> {
    Ok(match name {
        "ratelimit" => Arc::new(rate_limit::RateLimit::new(properties)?),
        "routeralias" => Arc::new(route_alias::RouteAlias::new(properties)?),
        "routerchecker" => Arc::new(route_checker::RouteChecker::new(properties)?),
        "uppercase" => Arc::new(uppercase::Uppercase::new(properties)),
        _ => return Err(format!("there is no middleware.http.{name}; there are {}", TYPES.join(", "))),
    })
}

/// Middleware in its order; the first sees a request first and a response last.
#[derive(Clone, Default)]
pub struct Pipeline(Vec<Arc<dyn Middleware>>);

impl Pipeline {
    /// A pipeline of these.
    #[must_use]
    pub fn new(middleware: Vec<Arc<dyn Middleware>>) -> Self {
        Self(middleware)
    }

    /// Takes a request through all; what answers it early has passed back already.
    ///
    /// # Errors
    /// The response, where the request goes no further.
    pub fn enter(&self, mut request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
        for (passed, middleware) in self.0.iter().enumerate() {
            let entered = middleware.request(request);
            request = entered.map_err(|response| Box::new(self.back(passed, *response)))?;
        }
        Ok(request)
    }

    /// Takes the response to a request that has entered back through all.
    #[must_use]
    pub fn leave(&self, response: Response<Body>) -> Response<Body> {
        self.back(self.0.len(), response)
    }

    /// The response after the first `count`, from the last of these on.
    fn back(&self, count: usize, response: Response<Body>) -> Response<Body> {
        self.0.iter().take(count).rev().fold(response, |response, middleware| middleware.response(response))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use sidecar::empty_body;

    use super::*;

    /// Writes its name into a header on both ways; answers itself where it is told to.
    struct Mark(&'static str, bool);

    impl Middleware for Mark {
        fn request(&self, mut request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
            if self.1 {
                return Err(Box::new(Response::new(empty_body())));
            }
            request.headers_mut().append("seen", HeaderValue::from_static(self.0));
            Ok(request)
        }

        fn response(&self, mut response: Response<Body>) -> Response<Body> {
            response.headers_mut().append("seen", HeaderValue::from_static(self.0));
            response
        }
    }

    fn seen(headers: &http::HeaderMap) -> Vec<&str> {
        headers.get_all("seen").iter().map(|value| value.to_str().unwrap()).collect()
    }

    fn pipeline(marks: Vec<Mark>) -> Pipeline {
        Pipeline::new(marks.into_iter().map(|mark| Arc::new(mark) as Arc<dyn Middleware>).collect())
    }

    #[test]
    fn requests_pass_in_order_and_responses_in_reverse() {
        let pipeline = pipeline(vec![Mark("a", false), Mark("b", false)]);
        let request = pipeline.enter(Request::new(empty_body())).ok().unwrap();
        assert_eq!(seen(request.headers()), ["a", "b"]);
        assert_eq!(seen(pipeline.leave(Response::new(empty_body())).headers()), ["b", "a"]);
    }

    #[test]
    fn answered_request_goes_no_further() {
        let pipeline = pipeline(vec![Mark("a", false), Mark("b", true), Mark("c", false)]);
        let response = pipeline.enter(Request::new(empty_body())).unwrap_err();
        assert_eq!(seen(response.headers()), ["a"]);
    }

    #[test]
    fn unknown_middleware_is_an_error() {
        assert!(create("oauth2", &Properties::default()).err().unwrap().contains("ratelimit, routeralias"));
    }
}
