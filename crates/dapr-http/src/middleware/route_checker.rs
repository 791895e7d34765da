//! `middleware.http.routerchecker`: only paths that match a regular expression pass.

use building_blocks::Properties;
use http::{Request, Response, StatusCode};
use regex_lite::Regex;
use sidecar::Body;

use super::Middleware;
use crate::response;

pub(super) struct RouteChecker(Regex);

impl RouteChecker {
    pub(super) fn new(properties: &Properties) -> Result<Self, String> {
        let rule = properties.required("rule").map_err(|error| error.to_string())?;
        Regex::new(rule).map(Self).map_err(|error| format!("failed to compile rule regexp: {error}"))
    }
}

impl Middleware for RouteChecker {
    fn request(&self, request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        if self.0.is_match(target) {
            return Ok(request);
        }
        Err(Box::new(response::plain(StatusCode::BAD_REQUEST, "invalid router")))
    }
}

#[cfg(test)]
mod tests {
    use sidecar::empty_body;

    use super::*;

    #[test]
    fn only_matching_targets_pass() {
        let properties = [("rule", "^/v1.0/invoke/[a-z]+/method/ok(\\?a=1)?$")].into_iter().collect();
        let checker = RouteChecker::new(&properties).unwrap();
        let passes = |target: &str| checker.request(Request::get(target).body(empty_body()).unwrap()).is_ok();
        assert!(passes("/v1.0/invoke/app/method/ok") && passes("/v1.0/invoke/app/method/ok?a=1"));
        assert!(!passes("/v1.0/invoke/app/method/other") && !passes("/v1.0/state/s"));
        assert!(RouteChecker::new(&[("rule", "(")].into_iter().collect()).is_err());
        assert!(RouteChecker::new(&Properties::default()).is_err());
    }
}
