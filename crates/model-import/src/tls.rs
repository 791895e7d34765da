//! Whose certificates are trusted: the machine's, and those of a file that pip's configuration names.

use std::fs;
use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Certificates of authorities.
pub struct Roots(RootCerts);

impl Roots {
    /// Those of the machine, or of the file that is named; where there are none, Mozilla's list.
    #[must_use]
    pub fn new(file: Option<&Path>) -> Self {
        let own = file.and_then(|file| fs::read(file).ok()).map(|pem| certificates(&pem)).unwrap_or_default();
        let found = if own.is_empty() { of_machine() } else { own };
        Self(if found.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&found) })
    }

    pub(crate) fn config(&self) -> TlsConfig {
        TlsConfig::builder().root_certs(self.0.clone()).build()
    }
}

/// What the system trusts, or `SSL_CERT_FILE` and `SSL_CERT_DIR` say.
fn of_machine() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem).filter_map(Result::ok);
    items.filter_map(|item| if let PemItem::Certificate(found) = item { Some(found) } else { None }).collect()
}
