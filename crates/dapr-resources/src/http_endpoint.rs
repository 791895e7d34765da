//! HTTPEndpoint resources, external servers invoked by name: `dapr/pkg/apis/httpEndpoint/v1alpha1/types.go`.

use crate::config_error::ConfigErrors;
use crate::document::Reader;
use crate::resource_header::ResourceHeader;
use crate::value::{MetadataItem, MetadataValue, read_items, read_value};

/// HTTP endpoint read from YAML; its references are not resolved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpEndpointResource {
    /// `metadata.name`, by which the endpoint is invoked.
    pub name: String,
    /// `spec.baseUrl`.
    pub base_url: String,
    /// `spec.headers`: headers added to every request, in source order.
    pub headers: Vec<MetadataItem>,
    /// `spec.clientTLS`.
    pub client_tls: ClientTls,
    /// `auth.secretStore`: the store in which secret references are resolved.
    pub secret_store: Option<String>,
    /// `scopes`: the applications that see the endpoint; empty means all.
    pub scopes: Vec<String>,
    /// Position of the resource, as `FILE:LINE`.
    pub origin: String,
}

/// TLS settings of an endpoint; all values are PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// Trusted certificates, instead of the system's.
    pub root_ca: Option<MetadataValue>,
    /// Client certificate.
    pub certificate: Option<MetadataValue>,
    /// Private key of the client certificate.
    pub private_key: Option<MetadataValue>,
}

pub(crate) fn read(header: ResourceHeader, mut spec: Reader<'_>, errors: &mut ConfigErrors) -> HttpEndpointResource {
    let base_url = spec.required("baseUrl", errors);
    if !base_url.is_empty() && !base_url.starts_with("http://") && !base_url.starts_with("https://") {
        spec.reject("baseUrl", format!("is {base_url:?}, but must begin with http:// or https://"), errors);
    }
    let headers = read_items(&mut spec, "headers", errors);
    // Dapr's own example has this field.
    spec.ignore(&["version"]);
    let client_tls = spec.mapping("clientTLS", errors).map(|tls| read_tls(tls, errors)).unwrap_or_default();
    spec.finish(errors);
    let ResourceHeader { name, secret_store, scopes, origin, folder: _ } = header;
    HttpEndpointResource { name, base_url, headers, client_tls, secret_store, scopes, origin }
}

fn read_tls(mut tls: Reader<'_>, errors: &mut ConfigErrors) -> ClientTls {
    // Renegotiation is a feature of TLS 1.2 on which servers may not rely, and that rustls does not support.
    tls.ignore(&["renegotiation"]);
    let mut value = |field| {
        let mut item = tls.mapping(field, errors)?;
        let value = read_value(&mut item, errors);
        item.finish(errors);
        value
    };
    let read =
        ClientTls { root_ca: value("rootCA"), certificate: value("certificate"), private_key: value("privateKey") };
    let together = match (&read.certificate, &read.private_key) {
        (Some(_), None) => Some(("certificate", "privateKey")),
        (None, Some(_)) => Some(("privateKey", "certificate")),
        _ => None,
    };
    if let Some((there, missing)) = together {
        tls.reject(there, format!("requires {missing}"), errors);
    }
    tls.finish(errors);
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::load;

    fn check(yaml: &str) -> Result<Vec<HttpEndpointResource>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("e.yaml"), yaml).unwrap();
        let place = format!("{}/", folder.path().display());
        load(&[folder.path().to_owned()], None)
            .map(|resources| resources.http_endpoints)
            .map_err(|errors| errors.to_string().replace(&place, ""))
    }

    #[test]
    fn endpoint_with_headers_and_certificates_is_parsed() {
        let yaml = r#"
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata:
  name: weather
spec:
  baseUrl: https://weather.example/api
  headers:
  - name: authorization
    secretKeyRef: {name: weather, key: token}
  clientTLS:
    rootCA: {value: PEM}
    certificate: {secretKeyRef: {name: tls, key: cert}}
    privateKey: {secretKeyRef: {name: tls, key: key}}
auth:
  secretStore: local
scopes: [a]
"#;
        let endpoints = check(yaml).unwrap();
        let [endpoint] = endpoints.as_slice() else { panic!("{endpoints:?}") };
        assert_eq!((endpoint.name.as_str(), endpoint.base_url.as_str()), ("weather", "https://weather.example/api"));
        let secret = |name: &str, key: &str| MetadataValue::SecretKeyRef { name: name.into(), key: key.into() };
        let header = MetadataItem { name: "authorization".into(), value: secret("weather", "token") };
        assert_eq!(endpoint.headers, [header]);
        assert_eq!(endpoint.client_tls.root_ca, Some(MetadataValue::Plain("PEM".into())));
        assert_eq!(endpoint.client_tls.private_key, Some(secret("tls", "key")));
        assert_eq!((endpoint.secret_store.as_deref(), endpoint.scopes.as_slice()), (Some("local"), &["a".into()][..]));
    }

    #[test]
    fn bad_url_and_certificate_without_key_are_errors() {
        let yaml = r#"apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata:
  name: weather
spec:
  baseUrl: ftp://weather.example
  clientTLS:
    certificate: {value: PEM}
"#;
        let expected = "2 errors:
  e.yaml:6: spec.baseUrl: is \"ftp://weather.example\", but must begin with http:// or https://
  e.yaml:8: spec.clientTLS.certificate: requires privateKey";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }
}
