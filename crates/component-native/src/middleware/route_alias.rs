//! `middleware.http.routeralias`: maps alias paths to endpoints of the API.
//!
//! Property `routes` is a JSON object of alias to path. `{name}` in an alias matches a segment, whose text becomes the
//! query parameter of that name. Without `routes`, each property is such a pair, as in older configurations.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dapr_building_blocks::middleware::{Body, Next};
use dapr_building_blocks::{Component, ComponentSpec, Context, HttpMiddleware, InitError, Properties};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Creates the component.
pub(crate) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    RouteAlias::new(&spec.properties).map(Component::from_http_middleware).map_err(InitError::misconfigured)
}

struct RouteAlias(Vec<Alias>);

struct Alias {
    segments: Vec<String>,
    path: String,
}

impl RouteAlias {
    fn new(properties: &Properties) -> Result<Self, String> {
        let pairs: BTreeMap<String, String> = match properties.get("routes") {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| format!("property routes: it is no JSON object of paths: {error}"))?,
            None => properties.exposed().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let aliases = pairs.into_iter().map(|(from, path)| {
            if !from.starts_with('/') || !path.starts_with('/') || path.parse::<PathAndQuery>().is_err() {
                return Err(format!("routes are paths, which begin with /: {from:?} to {path:?}"));
            }
            Ok(Alias { segments: split(&from).map(str::to_owned).collect(), path })
        });
        aliases.collect::<Result<_, _>>().map(Self)
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').split('/')
}

impl Alias {
    /// Returns the target of `uri`, if its path matches this alias.
    fn target(&self, uri: &Uri) -> Option<String> {
        let mut query: Vec<String> = uri.query().map(str::to_owned).into_iter().collect();
        let mut path = split(uri.path());
        for wanted in &self.segments {
            let segment = path.next()?;
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !segment.is_empty() => {
                    let value = percent_decode_str(segment).decode_utf8_lossy();
                    query.push(format!("{}={}", encoded(name), encoded(&value)));
                }
                None if wanted == segment => {}
                _ => return None,
            }
        }
        if path.next().is_some() {
            return None;
        }
        let separator = if self.path.contains('?') { '&' } else { '?' };
        let query = query.join("&");
        Some(if query.is_empty() { self.path.clone() } else { format!("{}{separator}{query}", self.path) })
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[async_trait]
impl HttpMiddleware for RouteAlias {
    async fn handle(&self, mut request: Request<Body>, next: Next<'_>) -> Response<Body> {
        let target = self.0.iter().find_map(|alias| alias.target(request.uri()));
        // Both the path and the added parameters are valid in a URI.
        if let Some(target) = target.and_then(|target| target.parse::<PathAndQuery>().ok()) {
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            parts.path_and_query = Some(target);
            *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        }
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::pass;
    use super::*;

    #[tokio::test]
    async fn alias_maps_to_its_path_with_segments_as_parameters() {
        let routes = r#"{"/mall/{id}":"/v1.0/invoke/srv/method/mall/item", "/plain":"/v1.0/metadata"}"#;
        let aliases = RouteAlias::new(&[("routes", routes)].into_iter().collect()).unwrap();
        let aliases: Arc<dyn HttpMiddleware> = Arc::new(aliases);
        for (path, expected) in [
            ("/mall/7", "/v1.0/invoke/srv/method/mall/item?id=7"),
            ("/mall/a%26b?c=1", "/v1.0/invoke/srv/method/mall/item?c=1&id=a%26b"),
            ("/plain", "/v1.0/metadata"),
            ("/mall", "/mall"),
            ("/mall/", "/mall/"),
            ("/mall/7/8", "/mall/7/8"),
            ("/v1.0/healthz", "/v1.0/healthz"),
        ] {
            assert_eq!(pass(&aliases, path).await.unwrap(), expected);
        }
    }

    #[test]
    fn routes_that_are_not_paths_are_errors() {
        for routes in ["[]", "{\"a\":\"/b\"}", "{\"/a\":\"b\"}", "{\"/a\":\"/b c\"}"] {
            assert!(RouteAlias::new(&[("routes", routes)].into_iter().collect()).is_err(), "{routes}");
        }
        assert!(RouteAlias::new(&[("/a", "/b")].into_iter().collect()).is_ok());
    }
}
