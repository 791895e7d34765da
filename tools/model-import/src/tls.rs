//! Trusted root certificates: the machine's, and those of a file that pip's configuration names.

use std::fs;
use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Trusted root certificates.
pub struct Roots(RootCerts);

impl Roots {
    /// Loads the file's certificates and the machine's; Mozilla's list if there are none.
    #[must_use]
    pub fn new(file: Option<&Path>) -> Self {
        let own = file.and_then(|file| fs::read(file).ok()).map(|pem| certificates(&pem)).unwrap_or_default();
        let found = if own.is_empty() { system_certificates() } else { own };
        Self(if found.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&found) })
    }

    pub(crate) fn config(&self) -> TlsConfig {
        TlsConfig::builder().root_certs(self.0.clone()).build()
    }
}

/// Loads the certificates that the system trusts, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
fn system_certificates() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem).filter_map(Result::ok);
    items.filter_map(|item| if let PemItem::Certificate(found) = item { Some(found) } else { None }).collect()
}
