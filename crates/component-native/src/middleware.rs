//! HTTP middleware. Follows `components-contrib/middleware/http`.

mod bearer;
mod rate_limit;
mod route_alias;
mod route_checker;
mod uppercase;

use bytes::Bytes;
use dapr_building_blocks::Registry;
use dapr_building_blocks::middleware::{Body, full_body};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// Registers the HTTP middleware of this build.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("middleware.http.bearer", bearer::create);
    registry.register("middleware.http.ratelimit", rate_limit::create);
    registry.register("middleware.http.routeralias", route_alias::create);
    registry.register("middleware.http.routerchecker", route_checker::create);
    registry.register("middleware.http.uppercase", uppercase::create);
}

/// Creates a plain-text response.
fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dapr_building_blocks::HttpMiddleware;
    use dapr_building_blocks::middleware::{Pipeline, empty_body};
    use http::Request;

    use super::*;

    /// Sends `GET target` through `middleware`; returns the target at the endpoint, or the middleware's response.
    pub(super) async fn pass(middleware: &Arc<dyn HttpMiddleware>, target: &str) -> Result<String, Response<Body>> {
        let mut reached = None;
        let endpoint = async |request: Request<Body>| {
            reached = Some(request.uri().to_string());
            Response::new(empty_body())
        };
        let request = Request::get(target).body(empty_body()).unwrap();
        let response = Pipeline::new(vec![middleware.clone()]).run(request, endpoint).await;
        reached.ok_or(response)
    }
}
