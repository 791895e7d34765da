use std::collections::BTreeMap;
use std::net::SocketAddr;

use dapr_building_blocks::component::Context;
use dapr_building_blocks::middleware::{empty_body, full_body};
use dapr_resources::http_endpoint::{ClientTls, HttpEndpointResource};
use dapr_resources::value::{MetadataItem, MetadataValue};
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::components::References;

/// A certificate authority of a test.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// Signs a certificate for `name`; returns it with its key.
    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap(), key)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots.into()
    }
}

/// Starts a server that echoes the method, the path and one header of each request.
///
/// It serves clients with a certificate of `clients`, or everybody.
async fn server(authority: &Authority, clients: Option<&Authority>) -> SocketAddr {
    let (certificate, key) = authority.sign("127.0.0.1");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(clients) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(clients.roots(), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let service = service_fn(|request| async move { Ok::<_, std::convert::Infallible>(echo(&request)) });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn echo(request: &Request<hyper::body::Incoming>) -> Response<Body> {
    let key = request.headers().get("x-key").and_then(|key| key.to_str().ok()).unwrap_or("none");
    Response::new(full_body(format!("{} {} {key}", request.method(), request.uri())))
}

async fn endpoint(base_url: String, client_tls: ClientTls) -> Result<External, String> {
    let key = MetadataItem { name: "x-key".into(), value: MetadataValue::Plain("given".into()) };
    let resource = HttpEndpointResource {
        name: "outside".into(),
        base_url,
        headers: vec![key],
        client_tls,
        secret_store: None,
        scopes: Vec::new(),
        origin: "test".into(),
    };
    let (context, stores) = (Context::default(), BTreeMap::new());
    let references = References { context: &context, stores, store: None };
    let external = External::new(Arc::new(AllowList::new([])));
    external.set_endpoints([("outside".to_owned(), Endpoint::new(&resource, references).await?)].into());
    Ok(external)
}

async fn get(external: &External, target: &str) -> Result<String, String> {
    let request = Request::get("/m?q=1").body(empty_body()).unwrap();
    let answer = external.call(target, request).await.map_err(|error| error.to_string())?;
    assert_eq!(answer.status(), StatusCode::OK);
    Ok(String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

fn plain(text: &str) -> Option<MetadataValue> {
    Some(MetadataValue::Plain(text.to_owned()))
}

#[tokio::test]
async fn endpoint_is_invoked_by_https_with_its_ca_and_headers() {
    let authority = Authority::new();
    let address = server(&authority, None).await;
    let trust = ClientTls { root_ca: plain(&authority.0.pem()), ..ClientTls::default() };
    let external = endpoint(format!("https://{address}/base/"), trust).await.unwrap();
    assert!(external.has("outside") && !external.has("inside"));
    assert_eq!(get(&external, "outside").await.unwrap(), "GET /base/m?q=1 given");
}

#[tokio::test]
async fn server_without_trusted_ca_is_rejected() {
    let address = server(&Authority::new(), None).await;
    let other = ClientTls { root_ca: plain(&Authority::new().0.pem()), ..ClientTls::default() };
    let external = endpoint(format!("https://{address}"), other).await.unwrap();
    let error = get(&external, "outside").await.unwrap_err();
    assert!(error.starts_with(&format!("Get \"https://{address}/m?q=1\": invalid peer certificate")), "{error}");
}

#[tokio::test]
async fn client_certificate_is_sent_to_server_that_asks() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let address = server(&authority, Some(&clients)).await;
    let base = format!("https://{address}");
    let root_ca = plain(&authority.0.pem());
    let stranger =
        endpoint(base.clone(), ClientTls { root_ca: root_ca.clone(), ..ClientTls::default() }).await.unwrap();
    assert!(get(&stranger, "outside").await.is_err());
    let (certificate, key) = clients.sign("client");
    let known = ClientTls { root_ca, certificate: plain(&certificate.pem()), private_key: plain(&key.serialize_pem()) };
    assert_eq!(get(&endpoint(base, known).await.unwrap(), "outside").await.unwrap(), "GET /m?q=1 given");
}

#[tokio::test]
async fn invalid_certificate_error_hides_its_text() {
    let trust = ClientTls { root_ca: plain("SECRET"), ..ClientTls::default() };
    assert_eq!(endpoint("https://127.0.0.1".into(), trust).await.err().unwrap(), "a certificate is no PEM");
}

#[tokio::test]
async fn https_url_is_invoked_only_if_allowed() {
    let authority = Authority::new();
    let address = server(&authority, None).await;
    let url = format!("https://{address}");
    let error = get(&External::new(Arc::new(AllowList::new([]))), &url).await.unwrap_err();
    assert!(error.contains("is not allowed; start with --allow-outbound"), "{error}");
    // The system trusts none of the test's certificates, but the connection was made.
    let rule: AllowRule = address.to_string().parse().unwrap();
    let error = get(&External::new(Arc::new(AllowList::new([rule]))), &url).await.unwrap_err();
    assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
}
