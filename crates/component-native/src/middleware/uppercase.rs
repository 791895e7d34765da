//! `middleware.http.uppercase`: turns ASCII letters of bodies into capitals; a demonstration, as in Dapr.

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::middleware::{Body, Next};
use dapr_building_blocks::{Component, ComponentSpec, Context, HttpMiddleware, InitError, Properties};
use http::{Request, Response};
use http_body_util::BodyExt as _;

/// Creates the component.
pub(crate) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    Ok(Component::from_http_middleware(Uppercase::new(&spec.properties)))
}

struct Uppercase {
    requests: bool,
    responses: bool,
}

impl Uppercase {
    /// Creates the middleware. Property `direction` is `request` (the default), `response` or `both`.
    fn new(properties: &Properties) -> Self {
        let direction = properties.get("direction").unwrap_or_default().to_ascii_lowercase();
        Self { requests: direction != "response", responses: matches!(direction.as_str(), "response" | "both") }
    }
}

#[async_trait]
impl HttpMiddleware for Uppercase {
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body> {
        let request = if self.requests { request.map(capitals) } else { request };
        let response = next.run(request).await;
        if self.responses { response.map(capitals) } else { response }
    }
}

fn capitals(body: Body) -> Body {
    body.map_frame(|frame| frame.map_data(|data| Bytes::from(data.to_ascii_uppercase()))).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dapr_building_blocks::middleware::{Pipeline, full_body};

    use super::*;

    #[tokio::test]
    async fn bodies_become_capitals_in_the_named_direction() {
        for (direction, expected) in [("", ["Aä", "aä"]), ("response", ["aä", "Aä"]), ("Both", ["Aä", "Aä"])] {
            let uppercase = Uppercase::new(&[("direction", direction)].into_iter().collect());
            let mut sent = None;
            let endpoint = async |request: Request<Body>| {
                sent = Some(request.into_body());
                Response::new(full_body("aä"))
            };
            let pipeline = Pipeline::new(vec![Arc::new(uppercase)]);
            let received = pipeline.run(Request::new(full_body("aä")), endpoint).await.into_body();
            for (body, expected) in [sent.unwrap(), received].into_iter().zip(expected) {
                let text = body.collect().await.unwrap().to_bytes();
                assert_eq!(str::from_utf8(&text).unwrap(), expected, "{direction}");
            }
        }
    }
}
