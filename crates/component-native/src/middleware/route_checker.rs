//! `middleware.http.routerchecker`: only paths that match a regular expression pass.

use async_trait::async_trait;
use dapr_building_blocks::middleware::{Body, Next};
use dapr_building_blocks::{Component, ComponentSpec, Context, HttpMiddleware, InitError, Properties};
use http::{Request, Response, StatusCode};
use regex_lite::Regex;

/// Creates the component.
pub(crate) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    RouteChecker::new(&spec.properties).map(Component::from_http_middleware).map_err(InitError::misconfigured)
}

struct RouteChecker(Regex);

impl RouteChecker {
    fn new(properties: &Properties) -> Result<Self, String> {
        let rule = properties.required("rule").map_err(|error| error.to_string())?;
        Regex::new(rule).map(Self).map_err(|error| format!("failed to compile rule regexp: {error}"))
    }
}

#[async_trait]
impl HttpMiddleware for RouteChecker {
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        if self.0.is_match(target) {
            return next.run(request).await;
        }
        super::plain(StatusCode::BAD_REQUEST, "invalid router")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::pass;
    use super::*;

    #[tokio::test]
    async fn only_matching_targets_pass() {
        let properties = [("rule", "^/v1.0/invoke/[a-z]+/method/ok(\\?a=1)?$")].into_iter().collect();
        let checker: Arc<dyn HttpMiddleware> = Arc::new(RouteChecker::new(&properties).unwrap());
        for target in ["/v1.0/invoke/app/method/ok", "/v1.0/invoke/app/method/ok?a=1"] {
            assert_eq!(pass(&checker, target).await.unwrap(), target);
        }
        for target in ["/v1.0/invoke/app/method/other", "/v1.0/state/s"] {
            assert_eq!(pass(&checker, target).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
        }
        assert!(RouteChecker::new(&[("rule", "(")].into_iter().collect()).is_err());
        assert!(RouteChecker::new(&Properties::default()).is_err());
    }
}
