//! HTTPEndpoint resources, servers outside that are invoked by a name: `dapr/pkg/apis/httpEndpoint/v1alpha1/types.go`.

use crate::document::Reader;
use crate::head::Head;
use crate::problem::Problems;
use crate::value::{MetadataItem, MetadataValue, read_items, read_value};

/// One endpoint as its YAML describes it; references are not resolved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpEndpointResource {
    /// `metadata.name`: by which it is invoked.
    pub name: String,
    /// `spec.baseUrl`.
    pub base_url: String,
    /// `spec.headers`: what every request gets, in its order.
    pub headers: Vec<MetadataItem>,
    /// `spec.clientTLS`.
    pub client_tls: ClientTls,
    /// `auth.secretStore`: where secret references lead.
    pub secret_store: Option<String>,
    /// `scopes`: the applications that see it; empty means all.
    pub scopes: Vec<String>,
    /// Where it was read, as `FILE:LINE`.
    pub origin: String,
}

/// How an endpoint is trusted, and how it is shown who calls; all of it is PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// The certificates that are trusted, in place of the system's.
    pub root_ca: Option<MetadataValue>,
    /// The certificate that is shown.
    pub certificate: Option<MetadataValue>,
    /// Its key.
    pub private_key: Option<MetadataValue>,
}

pub(crate) fn read(head: Head, mut spec: Reader<'_>, problems: &mut Problems) -> HttpEndpointResource {
    let base_url = spec.required("baseUrl", problems);
    if !base_url.is_empty() && !base_url.starts_with("http://") && !base_url.starts_with("https://") {
        spec.mistake("baseUrl", format!("is {base_url:?}, but must begin with http:// or https://"), problems);
    }
    let headers = read_items(&mut spec, "headers", problems);
    // Dapr's own example has it.
    spec.ignore(&["version"]);
    let client_tls = spec.mapping("clientTLS", problems).map(|tls| read_tls(tls, problems)).unwrap_or_default();
    spec.finish(problems);
    let Head { name, secret_store, scopes, origin, folder: _ } = head;
    HttpEndpointResource { name, base_url, headers, client_tls, secret_store, scopes, origin }
}

fn read_tls(mut tls: Reader<'_>, problems: &mut Problems) -> ClientTls {
    // Renegotiation is a thing of TLS 1.2 that no server may rely on, and that rustls does not do.
    tls.ignore(&["renegotiation"]);
    let mut value = |field| {
        let mut item = tls.mapping(field, problems)?;
        let value = read_value(&mut item, problems);
        item.finish(problems);
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
        tls.mistake(there, format!("is nothing without {missing}"), problems);
    }
    tls.finish(problems);
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
            .map_err(|problems| problems.to_string().replace(&place, ""))
    }

    #[test]
    fn an_endpoint_is_read_with_its_headers_and_certificates() {
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
    fn an_endpoint_that_leads_nowhere_or_shows_half_a_certificate_is_a_mistake() {
        let yaml = r#"apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata:
  name: weather
spec:
  baseUrl: ftp://weather.example
  clientTLS:
    certificate: {value: PEM}
"#;
        let expected = "2 mistakes:
  e.yaml:6: spec.baseUrl: is \"ftp://weather.example\", but must begin with http:// or https://
  e.yaml:8: spec.clientTLS.certificate: is nothing without privateKey";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }
}
