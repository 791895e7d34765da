//! Properties of `pubsub.rabbitmq`.

use std::time::Duration;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Context, Properties};
use lapin::ExchangeKind;
use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};

/// Dapr's defaults.
const DEFAULT_RECONNECT_WAIT: Duration = Duration::from_secs(3);
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(10);
/// Deliveries under way at once with the concurrency mode `parallel`, unless `prefetchCount` is lower.
const MAX_CONCURRENCY: usize = 1000;

pub(super) struct Config {
    /// Address and credentials: never shown.
    pub(super) uri: AMQPUri,
    pub(super) tls: OwnedTLSConfig,
    /// `consumerID`: group of subscribers; by default the app id.
    pub(super) group: String,
    /// `durable`: exchanges and queues survive the server's end.
    pub(super) is_durable: bool,
    /// `deletedWhenUnused`: the server deletes queues without a consumer, and exchanges without a queue.
    pub(super) deletes_unused: bool,
    pub(super) has_dead_letters: bool,
    pub(super) auto_ack: bool,
    /// `requeueInFailure`: a message that is not processed is delivered again.
    pub(super) requeues: bool,
    /// `deliveryMode`: 2 keeps messages on disk.
    pub(super) delivery_mode: u8,
    /// `prefetchCount`; 0 is no limit.
    pub(super) prefetch: u16,
    pub(super) reconnect_wait: Duration,
    pub(super) max_len: Option<i64>,
    pub(super) max_len_bytes: Option<i64>,
    pub(super) exchange_kind: ExchangeKind,
    pub(super) client_name: Option<String>,
    pub(super) publisher_confirm: bool,
    /// `concurrencyMode`: `single` or `parallel`.
    pub(super) concurrency: usize,
    /// `ttlInSeconds` of messages without one, in milliseconds.
    pub(super) ttl_millis: Option<u64>,
    /// `publishMessagePropertiesToMetadata`: properties of a message are delivered as its metadata.
    pub(super) delivers_properties: bool,
}

impl Config {
    pub(super) fn read(properties: &Properties, context: &Context) -> Result<Self, PropertyError> {
        let bool = |name, default| properties.bool(name).map(|value| value.unwrap_or(default));
        let group = properties.get("consumerID").map(str::trim).filter(|group| !group.is_empty());
        let positive = |name| properties.int::<i64>(name).map(|value| value.filter(|value| *value > 0));
        let prefetch = properties.int::<u8>("prefetchCount")?.unwrap_or(0).into();
        let ttl = properties.int::<u64>("ttlInSeconds")?;
        let ttl = ttl.map(|seconds| {
            seconds.checked_mul(1000).ok_or_else(|| PropertyError::invalid("ttlInSeconds", "a number of seconds"))
        });
        Ok(Self {
            uri: uri(properties)?,
            tls: tls(properties)?,
            group: group.unwrap_or(&context.app_id).to_owned(),
            is_durable: bool("durable", true)?,
            deletes_unused: bool("deletedWhenUnused", true)?,
            has_dead_letters: bool("enableDeadLetter", false)?,
            auto_ack: bool("autoAck", false)?,
            requeues: bool("requeueInFailure", false)?,
            delivery_mode: match properties.int::<u8>("deliveryMode")?.unwrap_or(0) {
                mode @ 0..=2 => mode,
                _ => return Err(PropertyError::invalid("deliveryMode", "0, 1 or 2")),
            },
            prefetch,
            reconnect_wait: properties.duration("reconnectWaitSeconds")?.unwrap_or(DEFAULT_RECONNECT_WAIT),
            max_len: positive("maxLen")?,
            max_len_bytes: positive("maxLenBytes")?,
            exchange_kind: match properties.get("exchangeKind") {
                None | Some("fanout") => ExchangeKind::Fanout,
                Some("topic") => ExchangeKind::Topic,
                Some("direct") => ExchangeKind::Direct,
                Some("headers") => ExchangeKind::Headers,
                Some(_) => return Err(PropertyError::invalid("exchangeKind", "fanout, topic, direct or headers")),
            },
            client_name: properties.get("clientName").map(str::to_owned),
            publisher_confirm: bool("publisherConfirm", true)?,
            concurrency: match properties.get("concurrencyMode") {
                Some("single") => 1,
                None | Some("parallel") if prefetch > 0 => prefetch.into(),
                None | Some("parallel") => MAX_CONCURRENCY,
                Some(_) => return Err(PropertyError::invalid("concurrencyMode", "single or parallel")),
            },
            ttl_millis: ttl.transpose()?,
            delivers_properties: bool("publishMessagePropertiesToMetadata", false)?,
        })
    }
}

/// Returns the address from `connectionString`, or from its parts.
fn uri(properties: &Properties) -> Result<AMQPUri, PropertyError> {
    let protocol = match properties.get("protocol") {
        None => None,
        Some("amqp") => Some(AMQPScheme::AMQP),
        Some("amqps") => Some(AMQPScheme::AMQPS),
        Some(_) => return Err(PropertyError::invalid("protocol", "amqp or amqps")),
    };
    let mut uri = match properties.get_any(&["connectionString", "host"]) {
        Some(url) => {
            let invalid = || PropertyError::invalid("connectionString", "a URL such as amqp://localhost:5672");
            let uri: AMQPUri = url.parse().map_err(|_| invalid())?;
            if protocol.is_some_and(|protocol| protocol != uri.scheme) {
                return Err(PropertyError::invalid("protocol", "the one that connectionString has, or absent"));
            }
            uri
        }
        None => {
            let scheme = if protocol == Some(AMQPScheme::AMQPS) { "amqps" } else { "amqp" };
            let host = properties.get("hostname").unwrap_or("localhost");
            let invalid = |_| PropertyError::invalid("hostname", "a host with or without a port");
            let mut uri: AMQPUri = format!("{scheme}://{host}").parse().map_err(invalid)?;
            if let Some(username) = properties.get("username") {
                uri.authority.userinfo.username = username.to_owned();
                uri.authority.userinfo.password = properties.get("password").unwrap_or_default().to_owned();
            }
            uri
        }
    };
    let heartbeat = properties.duration("heartBeat")?.unwrap_or(DEFAULT_HEARTBEAT).as_secs();
    uri.query.heartbeat.get_or_insert(u16::try_from(heartbeat).unwrap_or(u16::MAX));
    if properties.bool("saslExternal")? == Some(true) {
        for name in ["caCert", "clientCert", "clientKey"] {
            properties.required(name)?;
        }
        uri.query.auth_mechanism = Some(SASLMechanism::External);
    }
    Ok(uri)
}

/// Returns the certificates, which the properties contain as PEM.
fn tls(properties: &Properties) -> Result<OwnedTLSConfig, PropertyError> {
    let pem = |name| match properties.get(name) {
        Some(text) if !text.contains("-----BEGIN ") => Err(PropertyError::invalid(name, "a PEM")),
        text => Ok(text.map(str::to_owned)),
    };
    let identity = match (pem("clientCert")?, pem("clientKey")?) {
        (Some(pem), Some(key)) => Some(OwnedIdentity::PKCS8 { pem: pem.into_bytes(), key: key.into_bytes() }),
        (None, None) => None,
        (Some(_), None) => return Err(PropertyError::Missing { name: "clientKey".to_owned() }),
        (None, Some(_)) => return Err(PropertyError::Missing { name: "clientCert".to_owned() }),
    };
    Ok(OwnedTLSConfig { identity, cert_chain: pem("caCert")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Result<Config, String> {
        let context = Context { app_id: "app".into(), ..Context::default() };
        Config::read(&properties.iter().copied().collect(), &context).map_err(|error| error.to_string())
    }

    #[test]
    fn address_comes_from_a_url_or_its_parts() {
        let config = read(&[("hostname", "db:5673"), ("username", "me"), ("password", "p@:/")]).unwrap();
        let authority = config.uri.authority;
        assert_eq!((authority.host.as_str(), authority.port), ("db", 5673));
        assert_eq!((authority.userinfo.username.as_str(), authority.userinfo.password.as_str()), ("me", "p@:/"));
        assert_eq!((config.uri.vhost.as_str(), config.uri.query.heartbeat), ("/", Some(10)));
        let config = read(&[("connectionString", "amqps://me:hush@db/v")]).unwrap();
        assert_eq!((config.uri.scheme, config.uri.vhost.as_str()), (AMQPScheme::AMQPS, "v"));
    }

    #[test]
    fn defaults_are_those_of_dapr_but_for_confirmations() {
        let config = read(&[]).unwrap();
        assert!(config.is_durable && config.deletes_unused && config.publisher_confirm);
        assert!(!config.auto_ack && !config.requeues && !config.has_dead_letters);
        assert_eq!((config.group.as_str(), config.delivery_mode, config.concurrency), ("app", 0, MAX_CONCURRENCY));
    }

    #[test]
    fn unusable_values_are_named() {
        for (name, value) in [
            ("connectionString", "http://me:hush@db"),
            ("protocol", "http"),
            ("deliveryMode", "3"),
            ("prefetchCount", "many"),
            ("exchangeKind", "other"),
            ("concurrencyMode", "some"),
            ("reconnectWaitSeconds", "soon"),
            ("durable", "hush"),
            ("caCert", "hush"),
            ("clientCert", "hush"),
        ] {
            let error = read(&[(name, value)]).err().unwrap();
            assert!(error.contains(name) && !error.contains("hush"), "{name}: {error}");
        }
        let error = read(&[("saslExternal", "true")]).err().unwrap();
        assert!(error.contains("caCert"), "{error}");
    }
}
