//! TLS for outside servers.

use std::sync::{Arc, OnceLock};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::Trust;
use super::dial::Dial;

/// A connector with or without TLS, depending on the URL's scheme.
pub(super) type Connector = HttpsConnector<Dial>;

/// Creates a connector over `dial`, with TLS as `trust` configures it.
pub(super) fn connector(dial: Dial, trust: &Trust) -> Result<Connector, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?.with_root_certificates(roots(trust)?);
    let config = match (&trust.certificate, &trust.private_key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| "the private key is no PEM")?;
            let own = builder.with_client_auth_cert(certificates(certificate)?, key);
            own.map_err(|error| format!("the client certificate: {error}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().wrap_connector(dial))
}

fn roots(trust: &Trust) -> Result<Arc<RootCertStore>, String> {
    // More than a hundred files or one large one: read once, however many endpoints there are.
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    match &trust.root_ca {
        Some(pem) => Ok(store(certificates(pem)?)),
        // Without system certificates, public HTTPS servers fail; others may still work.
        None => Ok(SYSTEM.get_or_init(|| store(rustls_native_certs::load_native_certs().certs)).clone()),
    }
}

fn store(certificates: Vec<CertificateDer<'static>>) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    roots.into()
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err("a certificate is no PEM".to_owned()),
    }
}
