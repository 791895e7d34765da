//! HTTPEndpoints: outside servers that are invoked by a name.

use std::sync::Arc;

use dapr_building_blocks::middleware::Body;
use dapr_resources::http_endpoint::HttpEndpointResource;
use dapr_resources::value::MetadataValue;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, Uri};

use super::{AllowList, AllowRule, HttpClient, Trust, client, send};
use crate::InvokeError;
use crate::components::References;

/// One HTTPEndpoint.
pub(crate) struct Endpoint {
    base: Uri,
    /// Headers set on every request, replacing those of the same name.
    headers: HeaderMap,
    client: HttpClient,
}

impl Endpoint {
    /// Creates the endpoint that `resource` describes.
    ///
    /// Writing an endpoint into the application's resources allows the application to reach it.
    pub(crate) async fn new(resource: &HttpEndpointResource, references: References<'_>) -> Result<Self, String> {
        let base: Uri = resource.base_url.parse().map_err(|error| format!("spec.baseUrl: {error}"))?;
        let rule = AllowRule::from_url(&resource.base_url).ok_or("spec.baseUrl names no host")?;
        let mut headers = HeaderMap::new();
        for item in &resource.headers {
            let bad = || format!("spec.headers: {:?} is no header that can be sent", item.name);
            let name = HeaderName::try_from(&item.name).map_err(|_| bad())?;
            let value = references.resolve(&item.value).await?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let tls = &resource.client_tls;
        let trust = Trust {
            root_ca: text(&references, tls.root_ca.as_ref()).await?,
            certificate: text(&references, tls.certificate.as_ref()).await?,
            private_key: text(&references, tls.private_key.as_ref()).await?,
        };
        let client = client(Arc::new(AllowList::new([rule])), &trust)?;
        Ok(Self { base, headers, client })
    }

    pub(super) async fn call(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        send(&self.client, &self.base, request).await
    }
}

async fn text(references: &References<'_>, value: Option<&MetadataValue>) -> Result<Option<String>, String> {
    match value {
        Some(value) => references.resolve(value).await.map(|resolved| Some(resolved.expose().to_owned())),
        None => Ok(None),
    }
}
