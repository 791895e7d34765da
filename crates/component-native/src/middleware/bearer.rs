//! `middleware.http.bearer`: only requests with a valid OpenID Connect token pass.
//!
//! The token is a JWT in `Authorization: Bearer`, signed with a key of the issuer's JSON Web Key Set (RFC 7517), for the
//! audience of the component. Follows `components-contrib/middleware/http/bearer`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dapr_building_blocks::component::FetchDocument;
use dapr_building_blocks::middleware::{Body, Next};
use dapr_building_blocks::{Component, ComponentSpec, Context, HttpMiddleware, InitError, Properties};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// Maximum accepted clock difference to the issuer.
const ALLOWED_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// Age from which keys are fetched again, while requests still use the old ones.
const REFRESH_KEYS_AFTER: Duration = Duration::from_secs(10 * 60);
/// Minimum length of a token; shorter header values cannot be tokens.
const MIN_TOKEN_LENGTH: usize = 10;

/// Creates the component; fetches the issuer's keys.
pub(crate) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let bearer = Bearer::new(&spec.properties, context.documents()?).await;
    bearer.map(Component::from_http_middleware).map_err(InitError::misconfigured)
}

/// The middleware. Clones share the same keys.
#[derive(Clone)]
pub(crate) struct Bearer(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    keys_url: String,
    keys: Mutex<Keys>,
    fetch: Arc<dyn FetchDocument>,
}

struct Keys {
    set: Arc<JwkSet>,
    /// Time of the latest attempt to fetch the keys.
    fetched: Instant,
}

/// The fields used of an OpenID Connect discovery document.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    #[serde(default)]
    jwks_uri: String,
}

/// Time claims, in seconds since 1970.
///
/// The library ignores a claim that is not a number; here it makes the token invalid.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    iat: Option<f64>,
    nbf: Option<f64>,
}

impl Bearer {
    /// Creates the middleware and fetches the issuer's keys.
    ///
    /// Properties: `issuer` (or `issuerURL`), `audience` (or `clientID`), and `jwksURL`, which defaults to that of the
    /// issuer's discovery document.
    ///
    /// # Errors
    /// When a property is missing, or the keys cannot be fetched.
    async fn new(properties: &Properties, fetch: Arc<dyn FetchDocument>) -> Result<Self, String> {
        let required = |names: [&str; 2]| {
            let value = names.iter().find_map(|name| properties.get(name).filter(|value| !value.is_empty()));
            value.map(str::to_owned).ok_or_else(|| format!("metadata property '{}' is required", names[0]))
        };
        let issuer = required(["issuer", "issuerURL"])?;
        let audience = required(["audience", "clientID"])?;
        let keys_url = match properties.get("jwksURL").filter(|url| !url.is_empty()) {
            Some(url) => url.to_owned(),
            None => discover(&issuer, &*fetch).await?,
        };
        let set = keys(&keys_url, &*fetch).await?;
        let keys = Mutex::new(Keys { set: Arc::new(set), fetched: Instant::now() });
        Ok(Self(Arc::new(Inner { issuer, audience, keys_url, keys, fetch })))
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = header.split_at_checked("bearer ".len()).and_then(|(scheme, token)| {
            (scheme.eq_ignore_ascii_case("bearer ") && token.len() >= MIN_TOKEN_LENGTH).then_some(token)
        });
        token.is_some_and(|token| self.verify(token).is_some())
    }

    /// Returns `Some` for a token that is valid now.
    fn verify(&self, token: &str) -> Option<()> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let keys = self.keys();
        let key = keys.find(&header.kid?).filter(|key| is_for_signatures(key))?;
        // A key that names no algorithm serves all of its kind; the library checks the token's algorithm against it.
        let algorithm: Algorithm = match key.common.key_algorithm {
            Some(algorithm) => algorithm.to_string().parse().ok()?,
            None => header.alg,
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = ALLOWED_CLOCK_SKEW.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_audience(&[&self.0.audience]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        let token = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_jwk(key).ok()?, &validation).ok()?;
        let (now, leeway) = (jsonwebtoken::get_current_timestamp() as f64, ALLOWED_CLOCK_SKEW.as_secs_f64());
        let Claims { exp, iat, nbf } = token.claims;
        let has_begun = [iat, nbf].into_iter().flatten().all(|begin| begin <= now + leeway);
        (has_begun && exp.is_none_or(|end| end > now - leeway)).then_some(())
    }

    /// Returns the current keys; starts a refresh if they are old.
    fn keys(&self) -> Arc<JwkSet> {
        let mut current = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if current.fetched.elapsed() >= REFRESH_KEYS_AFTER {
            current.fetched = Instant::now();
            let inner = self.0.clone();
            tokio::spawn(async move {
                match keys(&inner.keys_url, &*inner.fetch).await {
                    Ok(set) => inner.keys.lock().unwrap_or_else(PoisonError::into_inner).set = Arc::new(set),
                    Err(error) => tracing::warn!(%error, "token keys not refreshed; the old ones stay in use"),
                }
            });
        }
        current.set.clone()
    }
}

#[async_trait]
impl HttpMiddleware for Bearer {
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body> {
        if self.admits(request.headers()) {
            return next.run(request).await;
        }
        super::plain(StatusCode::UNAUTHORIZED, "Unauthorized")
    }
}

fn is_for_signatures(key: &Jwk) -> bool {
    key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
}

/// Discovers the URL of the issuer's keys (OpenID Connect Discovery 1.0).
async fn discover(issuer: &str, fetch: &dyn FetchDocument) -> Result<String, String> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document: Discovery = parse(&url, fetch).await?;
    if document.issuer != issuer {
        return Err(format!("{url} is of issuer {:?}, but property issuer is {issuer:?}", document.issuer));
    }
    match document.jwks_uri.as_str() {
        "" => Err(format!("{url} has no jwks_uri")),
        url => Ok(url.to_owned()),
    }
}

async fn keys(url: &str, fetch: &dyn FetchDocument) -> Result<JwkSet, String> {
    // Keys of unknown kinds are skipped.
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = parse(url, fetch).await?;
    Ok(JwkSet { keys: set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect() })
}

async fn parse<T: for<'a> Deserialize<'a>>(url: &str, fetch: &dyn FetchDocument) -> Result<T, String> {
    let bytes = fetch.get(url).await.map_err(|error| format!("GET {url}: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("GET {url}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    use bytes::Bytes;

    use super::*;

    const ISSUER: &str = "https://issuer.example/";
    const SECRET: &[u8] = b"a secret of thirty-two bytes....";

    #[derive(Debug)]
    struct Documents(BTreeMap<&'static str, Value>);

    #[async_trait]
    impl FetchDocument for Documents {
        async fn get(&self, url: &str) -> Result<Bytes, String> {
            self.0.get(url).map(|document| document.to_string().into()).ok_or_else(|| "404".to_owned())
        }
    }

    fn issuer() -> Documents {
        let key = |kid: &str, changes: Value| {
            let mut key =
                json!({"kty": "oct", "kid": kid, "alg": "HS256", "k": "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcy4uLi4"});
            for (name, value) in changes.as_object().unwrap() {
                key[name] = value.clone();
            }
            key
        };
        let keys = json!({"keys": [
            {"kty": "unknown", "kid": "x"},
            key("a", json!({})),
            key("sig", json!({"use": "sig", "alg": null})),
            key("enc", json!({"use": "enc"})),
            key("other", json!({"alg": "HS512"})),
        ]});
        Documents(BTreeMap::from([
            (
                "https://issuer.example/.well-known/openid-configuration",
                json!({"issuer": ISSUER, "jwks_uri": "https://keys.example"}),
            ),
            ("https://keys.example", keys),
        ]))
    }

    async fn bearer(properties: &[(&str, &str)]) -> Result<Bearer, String> {
        Bearer::new(&properties.iter().copied().collect(), Arc::new(issuer())).await
    }

    fn token(kid: Option<&str>, claims: Value) -> String {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(SECRET)).unwrap()
    }

    fn authorization(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test]
    async fn valid_token_passes() {
        let bearer = bearer(&[("issuerURL", ISSUER), ("clientID", "me")]).await.unwrap();
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({"iss": ISSUER, "aud": ["you", "me"], "exp": now - 200, "iat": now + 200, "nbf": now + 200});
        for kid in ["a", "sig"] {
            let token = token(Some(kid), claims.clone());
            assert!(bearer.admits(&authorization(&format!("Bearer {token}"))), "{kid}");
            assert!(bearer.admits(&authorization(&format!("bEARER {token}"))), "{kid}");
        }
    }

    #[tokio::test]
    async fn invalid_token_does_not_pass() {
        let bearer = bearer(&[("issuer", ISSUER), ("audience", "me")]).await.unwrap();
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({"iss": ISSUER, "aud": "me"});
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            token(Some("a"), claims)
        };
        assert!(bearer.admits(&authorization(&format!("Bearer {}", token(Some("a"), claims.clone())))));
        for (why, token) in [
            ("other issuer", with("iss", json!("https://issuer.example"))),
            ("other audience", with("aud", json!("you"))),
            ("no audience", token(Some("a"), json!({"iss": ISSUER}))),
            ("expired", with("exp", json!(now - 400))),
            ("not yet", with("nbf", json!(now + 400))),
            ("from the future", with("iat", json!(now + 400))),
            ("end that is no number", with("exp", json!((now + 400).to_string()))),
            ("no key id", token(None, claims.clone())),
            ("unknown key", token(Some("b"), claims.clone())),
            ("key for encryption", token(Some("enc"), claims.clone())),
            ("another algorithm", token(Some("other"), claims.clone())),
            ("other signature", format!("{}x", token(Some("a"), claims.clone()))),
            ("no token", "rubbish".to_owned()),
        ] {
            assert!(!bearer.admits(&authorization(&format!("Bearer {token}"))), "{why}");
        }
        assert!(!bearer.admits(&HeaderMap::new()));
        assert!(!bearer.admits(&authorization(&token(Some("a"), claims))));
    }

    #[tokio::test]
    async fn missing_property_or_document_is_an_error() {
        for (properties, expected) in [
            (&[("audience", "me")][..], "'issuer' is required"),
            (&[("issuer", ISSUER), ("audience", "")], "'audience' is required"),
            (&[("issuer", "https://issuer.example"), ("audience", "me")], "is of issuer"),
            (&[("issuer", "https://nobody.example"), ("audience", "me")], "404"),
            (&[("issuer", ISSUER), ("audience", "me"), ("jwksURL", "https://nowhere.example")], "404"),
        ] {
            let error = bearer(properties).await.err().unwrap();
            assert!(error.contains(expected), "{error}");
        }
    }
}
