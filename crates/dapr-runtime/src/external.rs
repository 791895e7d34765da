//! Invocation of external servers, by URL or by the name of an HTTPEndpoint.
//!
//! A URL takes the place of an app id.
//!
//! As in `dapr/pkg/messaging/direct_messaging.go`. Redirects are left to the caller.

mod allow_list;
mod dial;
mod endpoint;
#[cfg_attr(not(feature = "https"), path = "external/plain.rs")]
mod tls;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::BoxError;
use dapr_building_blocks::component::FetchDocument;
use dapr_building_blocks::middleware::{Body, empty_body};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Collected, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

pub use self::allow_list::{AllowList, AllowRule, AllowRuleError};
use self::dial::Dial;
pub(crate) use self::endpoint::Endpoint;
use self::tls::Connector;
use crate::invoke::forward;
use crate::replay::Replay;
use crate::{InvokeError, go_errors};

/// Timeout for fetching a document or module that a component names by URL.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum size of a document or module that a component names by URL, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 << 20;

/// Outside servers that one application can invoke.
pub struct External {
    urls: OnceLock<Result<HttpClient, String>>,
    endpoints: RwLock<BTreeMap<String, Arc<Endpoint>>>,
    allow: Arc<AllowList>,
}

/// A pooled client for outside servers.
type HttpClient = Client<Connector, Body>;

/// Trusted roots and client certificate, as PEM.
///
/// Without roots, the system's are used; without a certificate, none is sent.
#[derive(Default)]
struct Trust {
    root_ca: Option<String>,
    certificate: Option<String>,
    private_key: Option<String>,
}

impl External {
    /// Allows only URLs that `allow` lets through.
    #[must_use]
    pub fn new(allow: Arc<AllowList>) -> Self {
        Self { urls: OnceLock::new(), endpoints: RwLock::default(), allow }
    }

    /// Sets the application's endpoints.
    pub(crate) fn set_endpoints(&self, endpoints: BTreeMap<String, Endpoint>) {
        let endpoints = endpoints.into_iter().map(|(name, endpoint)| (name, Arc::new(endpoint))).collect();
        *self.endpoints.write().unwrap_or_else(PoisonError::into_inner) = endpoints;
    }

    /// Returns the names of the endpoints.
    pub(crate) fn endpoint_names(&self) -> Vec<String> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Returns whether `target` is an outside server.
    pub(crate) fn has(&self, target: &str) -> bool {
        is_url(target) || self.has_endpoint(target)
    }

    /// Returns whether `target` is an HTTPEndpoint.
    pub(crate) fn has_endpoint(&self, target: &str) -> bool {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).contains_key(target)
    }

    /// Sends `request` to `target`.
    pub(crate) async fn call(&self, target: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        // Outside servers learn nothing of the applications here.
        forward::request(&mut request, target, target);
        match self.endpoint(target) {
            Some(endpoint) => endpoint.call(request).await,
            None => {
                let client = self.urls.get_or_init(|| client(self.allow.clone(), &Trust::default()));
                let client = client.as_ref().map_err(|error| channel(error.clone()))?;
                send(client, &target.parse().map_err(channel)?, request).await
            }
        }
    }

    /// Sends `request`, whose URI is absolute, unchanged.
    ///
    /// # Errors
    /// When the server is not allowed or gives no response.
    pub async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let client = self.urls.get_or_init(|| client(self.allow.clone(), &Trust::default()));
        let response = client.as_ref().map_err(Clone::clone)?.request(request).await?;
        Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
    }

    fn endpoint(&self, name: &str) -> Option<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// Fetches documents that components name by URL. Writing a URL into the resources allows fetching it.
#[derive(Clone, Copy, Debug)]
pub struct DocumentClient;

#[async_trait]
impl FetchDocument for DocumentClient {
    async fn get(&self, url: &str) -> Result<Bytes, String> {
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetch_document(url)).await;
        fetched.map_err(|_| format!("no response within {FETCH_TIMEOUT:?}"))?
    }
}

async fn fetch_document(url: &str) -> Result<Bytes, String> {
    let rule = AllowRule::from_url(url).ok_or("the URL names no host")?;
    let client = client(Arc::new(AllowList::new([rule])), &Trust::default())?;
    let request = Request::get(url).body(empty_body()).map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| go_errors::root_cause(&error).to_string())?;
    if response.status() != StatusCode::OK {
        return Err(format!("status {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_DOCUMENT_BYTES).collect().await;
    body.map(Collected::to_bytes).map_err(|error| error.to_string())
}

/// Returns whether `target` is a URL and not an app id.
fn is_url(target: &str) -> bool {
    target.starts_with("http://") || target.starts_with("https://")
}

fn client(allow: Arc<AllowList>, trust: &Trust) -> Result<HttpClient, String> {
    let connector = tls::connector(Dial::new(allow), trust)?;
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Sends `request`, whose URI is path and query, to a URL below `base`.
async fn send(client: &HttpClient, base: &Uri, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
    let url = below(base, request.uri()).map_err(channel)?;
    let method = request.method().clone();
    *request.uri_mut() = url.clone();
    forward::declare_empty(&mut request);
    // The client retries what it could not send; a connection may also be closed just when a request is on its way.
    let again = Replay::new(&request);
    let mut answered = client.request(request).await;
    if let (Err(error), Some(again)) = (&answered, again)
        && !error.is_connect()
    {
        answered = client.request(again.into_request()).await;
    }
    let mut response = answered.map_err(|error| go_errors::url_error(&method, &url, &error))?;
    forward::response(&mut response);
    Ok(response.map(|body| forward::lenient(body.map_err(Into::into).boxed_unsync())))
}

/// Builds the URL of a method of `base`; the root is `base` itself.
fn below(base: &Uri, method: &Uri) -> Result<Uri, http::Error> {
    let path = format!("{}{}", base.path().trim_end_matches('/'), method.path().trim_end_matches('/'));
    let query = method.query().map(|query| format!("?{query}")).unwrap_or_default();
    let builder = Uri::builder().path_and_query(format!("{}{query}", if path.is_empty() { "/" } else { &path }));
    let builder = base.scheme().into_iter().fold(builder, |builder, scheme| builder.scheme(scheme.clone()));
    base.authority().into_iter().fold(builder, |builder, authority| builder.authority(authority.clone())).build()
}

fn channel(error: impl Into<BoxError>) -> InvokeError {
    InvokeError::Channel(error.into())
}

#[cfg(test)]
#[cfg(feature = "https")]
mod tests;
