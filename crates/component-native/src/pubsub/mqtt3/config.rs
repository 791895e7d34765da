//! Properties of `pubsub.mqtt3`.

use std::sync::Arc;
use std::time::Duration;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Context, Properties};
use rumqttc::{MqttOptions, QoS, TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Largest packet of the protocol, in bytes.
const MAX_PACKET: usize = 268_435_455;
const MAX_CONCURRENCY: u16 = 1000;
/// Ports without one in the URL.
const PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

pub(super) struct Config {
    /// Address and credentials: never shown.
    pub(super) options: MqttOptions,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) clean_session: bool,
    /// `concurrency`, which Dapr does not have: deliveries of a subscription under way at once.
    pub(super) concurrency: usize,
}

impl Config {
    pub(super) fn read(properties: &Properties, context: &Context) -> Result<Self, PropertyError> {
        let invalid = || PropertyError::invalid("url", "a URL such as mqtt://user:password@host:1883");
        let url = properties.required("url")?;
        let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
        let is_tls = match scheme {
            "mqtt" | "tcp" => false,
            "mqtts" | "tcps" | "ssl" | "tls" => true,
            _ => return Err(PropertyError::invalid("url", "one that begins with mqtt, tcp, mqtts, tcps, ssl or tls")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, address) = authority.rsplit_once('@').map_or((None, authority), |(login, at)| (Some(login), at));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| invalid())?))
            }
            _ => (address, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(invalid());
        }
        let group = properties.get("consumerID").map(str::trim).filter(|group| !group.is_empty());
        let group = group.unwrap_or(&context.app_id);
        if group.is_empty() {
            return Err(PropertyError::Missing { name: "consumerID".to_owned() });
        }
        let clean_session = properties.bool("cleanSession")?.unwrap_or_default();
        let port = port.unwrap_or(if is_tls { TLS_PORT } else { PORT });
        let mut options = MqttOptions::new(group, host, port);
        options.set_clean_session(clean_session).set_keep_alive(KEEP_ALIVE).set_manual_acks(true);
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        if let Some(login) = login {
            let (username, password) = login.split_once(':').unwrap_or((login, ""));
            let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
            options.set_credentials(decode(username), decode(password));
        }
        let tls = tls(properties)?;
        if is_tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls))));
        }
        Ok(Self {
            options,
            qos: match properties.int::<u8>("qos")? {
                Some(0) => QoS::AtMostOnce,
                None | Some(1) => QoS::AtLeastOnce,
                Some(2) => QoS::ExactlyOnce,
                Some(_) => return Err(PropertyError::invalid("qos", "0, 1 or 2")),
            },
            retain: properties.bool("retain")?.unwrap_or_default(),
            clean_session,
            concurrency: match properties.int::<u16>("concurrency")? {
                None => 1,
                Some(number @ 1..=MAX_CONCURRENCY) => number.into(),
                Some(_) => {
                    return Err(PropertyError::invalid("concurrency", format!("a number from 1 to {MAX_CONCURRENCY}")));
                }
            },
        })
    }
}

/// Returns the certificates, which the properties contain as PEM; without any, the system's.
fn tls(properties: &Properties) -> Result<ClientConfig, PropertyError> {
    let certificates = |name: &str, text: &str| {
        let all = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
        all.ok().filter(|all| !all.is_empty()).ok_or_else(|| PropertyError::invalid(name, "certificates as PEM"))
    };
    let mut roots = RootCertStore::empty();
    match properties.get("caCert") {
        Some(text) => {
            for certificate in certificates("caCert", text)? {
                let added = roots.add(certificate);
                added.map_err(|_| PropertyError::invalid("caCert", "certificates as PEM"))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let invalid = |name: &'static str| move |_| PropertyError::invalid(name, "usable");
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(invalid("caCert"))?.with_root_certificates(roots);
    match (properties.get("clientCert"), properties.get("clientKey")) {
        (Some(chain), Some(key)) => {
            let chain = certificates("clientCert", chain)?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
            let key = key.map_err(|_| PropertyError::invalid("clientKey", "a key as PEM"))?;
            let invalid = |_| PropertyError::invalid("clientKey", "the key of clientCert");
            builder.with_client_auth_cert(chain, key).map_err(invalid)
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(_), None) => Err(PropertyError::Missing { name: "clientKey".to_owned() }),
        (None, Some(_)) => Err(PropertyError::Missing { name: "clientCert".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, more: &[(&str, &str)]) -> Result<Config, String> {
        let context = Context { app_id: "app".into(), ..Context::default() };
        let properties = [&[("url", url)][..], more].concat();
        Config::read(&properties.into_iter().collect(), &context).map_err(|error| error.to_string())
    }

    #[test]
    fn address_and_login_come_from_the_url() {
        let address = |url| read(url, &[]).unwrap().options.broker_address();
        assert_eq!(address("mqtt://db"), ("db".into(), 1883));
        assert_eq!(address("ssl://db:7/"), ("db".into(), 7));
        assert_eq!(address("tcp://[::1]:7"), ("::1".into(), 7));
        assert_eq!(address("mqtts://me:p%40@db"), ("db".into(), 8883));
    }

    #[test]
    fn unusable_values_are_named() {
        let pem = "-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----";
        for (name, value) in [
            ("qos", "3"),
            ("retain", "hush"),
            ("cleanSession", "hush"),
            ("concurrency", "0"),
            ("caCert", "hush"),
            ("caCert", pem),
            ("clientKey", "hush"),
        ] {
            let error = read("mqtt://me:hush@db", &[(name, value)]).err().unwrap();
            assert!(error.contains(name.trim_end_matches("Key")) && !error.contains("hush"), "{name}: {error}");
        }
        for url in ["me:hush@db", "ws://me:hush@db", "mqtt://me:hush@", "mqtt://me:hush@db:port"] {
            let error = read(url, &[]).err().unwrap();
            assert!(error.contains("url") && !error.contains("hush"), "{error}");
        }
    }
}
