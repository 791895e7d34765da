//! `middleware.http.uppercase`: ASCII letters of bodies become capitals; a demonstration, as in Dapr.

use building_blocks::Properties;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use sidecar::Body;

use super::Middleware;

pub(super) struct Uppercase {
    requests: bool,
    responses: bool,
}

impl Uppercase {
    /// Property `direction` is `request` (the default), `response` or `both`.
    pub(super) fn new(properties: &Properties) -> Self {
        let direction = properties.get("direction").unwrap_or_default().to_ascii_lowercase();
        Self { requests: direction != "response", responses: matches!(direction.as_str(), "response" | "both") }
    }
}

impl Middleware for Uppercase {
    fn request(&self, request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
        Ok(if self.requests { request.map(capitals) } else { request })
    }

    fn response(&self, response: Response<Body>) -> Response<Body> {
        if self.responses { response.map(capitals) } else { response }
    }
}

fn capitals(body: Body) -> Body {
    body.map_frame(|frame| frame.map_data(|data| Bytes::from(data.to_ascii_uppercase()))).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use sidecar::full_body;

    use super::*;

    #[tokio::test]
    async fn bodies_become_capitals_in_the_named_direction() {
        for (direction, expected) in [("", ["Aä", "aä"]), ("response", ["aä", "Aä"]), ("Both", ["Aä", "Aä"])] {
            let uppercase = Uppercase::new(&[("direction", direction)].into_iter().collect());
            let request = uppercase.request(Request::new(full_body("aä"))).ok().unwrap();
            let response = uppercase.response(Response::new(full_body("aä")));
            let bodies = [request.into_body(), response.into_body()];
            for (body, expected) in bodies.into_iter().zip(expected) {
                let text = body.collect().await.unwrap().to_bytes();
                assert_eq!(str::from_utf8(&text).unwrap(), expected, "{direction}");
            }
        }
    }
}
