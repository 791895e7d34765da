//! Properties of `pubsub.jetstream`.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::datetime::from_nanos;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, push};
use async_nats::{ConnectOptions, ServerAddr};
use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Context, InitError, Properties};

/// Dapr's default for `name`.
const DEFAULT_NAME: &str = "dapr.io - pubsub.jetstream";
/// Deliveries under way at once with the concurrency mode `parallel`.
const MAX_CONCURRENCY: usize = 1000;

pub(super) struct Config {
    /// `natsURL`: one or more addresses, separated by commas.
    pub(super) servers: Vec<ServerAddr>,
    /// `name` of the connection.
    name: String,
    login: Login,
    pub(super) domain: Option<String>,
    pub(super) api_prefix: Option<String>,
    pub(super) consumer: Consumer,
}

/// Credentials. As in Dapr, the first kind that is set counts; those in `natsURL` are the last.
enum Login {
    Jwt { jwt: String, seed: String },
    Certificate { certificate: PathBuf, key: PathBuf },
    Token(String),
    User { name: String, password: String },
    None,
}

/// Properties of the consumers.
pub(super) struct Consumer {
    /// `streamName`; `None` looks for the stream of the topic.
    pub(super) stream: Option<String>,
    pub(super) durable: Option<String>,
    /// `queueGroupName`.
    pub(super) group: Option<String>,
    policy: DeliverPolicy,
    pub(super) acknowledgement: AckPolicy,
    /// `ackWait`, also the delay before a message that is not processed is delivered again.
    pub(super) ack_wait: Option<Duration>,
    max_deliver: i64,
    back_off: Vec<Duration>,
    max_ack_pending: i64,
    replicas: usize,
    memory_storage: bool,
    rate_limit: u64,
    heartbeat: Duration,
    flow_control: bool,
    /// `concurrencyMode`, or `concurrency`: `single` or `parallel`.
    pub(super) concurrency: usize,
}

impl Config {
    pub(super) fn read(properties: &Properties, context: &Context) -> Result<Self, PropertyError> {
        let (servers, url_login) = servers(properties.required("natsURL")?)?;
        let text = |name| properties.get(name).map(str::to_owned);
        let file = |name| properties.get(name).map(|path| context.resolve(path));
        let login = match (
            pair(properties, ["jwt", "seedKey"], text)?,
            pair(properties, ["tls_client_cert", "tls_client_key"], file)?,
            text("token"),
        ) {
            (Some((jwt, seed)), ..) => Login::Jwt { jwt, seed },
            (None, Some((certificate, key)), _) => Login::Certificate { certificate, key },
            (None, None, Some(token)) => Login::Token(token),
            (None, None, None) => url_login,
        };
        Ok(Self {
            servers,
            name: text("name").unwrap_or_else(|| DEFAULT_NAME.to_owned()),
            login,
            domain: text("domain"),
            api_prefix: text("apiPrefix"),
            consumer: Consumer::read(properties)?,
        })
    }

    /// Returns the options of the connection.
    pub(super) fn options(&self) -> Result<ConnectOptions, InitError> {
        let options = ConnectOptions::new().name(&self.name);
        Ok(match &self.login {
            Login::Jwt { jwt, seed } => {
                // The format of a file with both.
                let credentials = format!(
                    "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
                     -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
                );
                let invalid = |_| PropertyError::invalid("seedKey", "the seed of a user's NKey, beside jwt");
                options.credentials(&credentials).map_err(invalid)?
            }
            Login::Certificate { certificate, key } => options.add_client_certificate(certificate.clone(), key.clone()),
            Login::Token(token) => options.token(token.clone()),
            Login::User { name, password } => options.user_and_password(name.clone(), password.clone()),
            Login::None => options,
        })
    }
}

/// Returns the addresses without the credentials of the first, which the client would log.
fn servers(urls: &str) -> Result<(Vec<ServerAddr>, Login), PropertyError> {
    let (mut servers, mut first_login) = (Vec::new(), None);
    for url in urls.split(',').map(str::trim) {
        let (scheme, rest) = url.split_once("://").map_or(("nats", url), |(scheme, rest)| (scheme, rest));
        let (login, address) = rest.rsplit_once('@').map_or((None, rest), |(login, at)| (Some(login), at));
        first_login = first_login.or(login);
        if login.is_some() && login != first_login {
            return Err(PropertyError::invalid("natsURL", "URLs with the same credentials"));
        }
        let server = format!("{scheme}://{address}").parse();
        servers.push(server.map_err(|_| PropertyError::invalid("natsURL", "URLs such as nats://localhost:4222"))?);
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = match first_login.map(|login| (login, login.split_once(':'))) {
        None => Login::None,
        Some((token, None)) => Login::Token(decode(token)),
        Some((_, Some((name, password)))) => Login::User { name: decode(name), password: decode(password) },
    };
    Ok((servers, login))
}

/// Returns two properties that need each other.
fn pair<T>(
    properties: &Properties,
    [first, second]: [&'static str; 2],
    read: impl Fn(&'static str) -> Option<T>,
) -> Result<Option<(T, T)>, PropertyError> {
    match (read(first), read(second)) {
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (None, None) => Ok(None),
        (Some(_), None) => properties.required(second).map(|_| None),
        (None, Some(_)) => properties.required(first).map(|_| None),
    }
}

impl Consumer {
    fn read(properties: &Properties) -> Result<Self, PropertyError> {
        let text = |name| properties.get(name).map(str::to_owned);
        let durable = text("durableName");
        if durable.as_ref().is_some_and(|name| name.contains(|it: char| it.is_whitespace() || ".*>/\\".contains(it))) {
            return Err(PropertyError::invalid("durableName", "a name without . * > / \\ and spaces"));
        }
        let heartbeat = properties.duration("heartbeat")?.unwrap_or_default();
        let flow_control = properties.bool("flowControl")?.unwrap_or_default();
        if flow_control && heartbeat.is_zero() {
            return Err(PropertyError::invalid("heartbeat", "longer than 0s with flowControl"));
        }
        let back_off = properties.parse("backOff", "durations such as 50ms, 1s", durations)?.unwrap_or_default();
        let max_deliver = properties.int("maxDeliver")?.unwrap_or(0);
        if usize::try_from(max_deliver).is_ok_and(|max| max < back_off.len()) && !back_off.is_empty() {
            return Err(PropertyError::invalid("maxDeliver", "at least the number of durations of backOff"));
        }
        Ok(Self {
            stream: text("streamName"),
            durable,
            group: text("queueGroupName"),
            policy: policy(properties)?,
            acknowledgement: match properties.get("ackPolicy") {
                None | Some("explicit") => AckPolicy::Explicit,
                Some("all") => AckPolicy::All,
                Some("none") => AckPolicy::None,
                Some(_) => return Err(PropertyError::invalid("ackPolicy", "explicit, all or none")),
            },
            ack_wait: properties.duration("ackWait")?.filter(|wait| !wait.is_zero()),
            max_deliver,
            back_off,
            max_ack_pending: properties.int("maxAckPending")?.unwrap_or(0),
            replicas: properties.int("replicas")?.unwrap_or(0),
            memory_storage: properties.bool("memoryStorage")?.unwrap_or_default(),
            rate_limit: properties.int("rateLimit")?.unwrap_or(0),
            heartbeat,
            flow_control,
            concurrency: match properties.get_any(&["concurrencyMode", "concurrency"]) {
                None | Some("single") => 1,
                Some("parallel") => MAX_CONCURRENCY,
                Some(_) => return Err(PropertyError::invalid("concurrencyMode", "single or parallel")),
            },
        })
    }

    /// Returns the configuration of the consumer of `topic`, from the message `start` if it is given.
    pub(super) fn to_push(&self, topic: &str, deliver_subject: String, start: Option<u64>) -> push::Config {
        push::Config {
            deliver_subject,
            durable_name: self.durable.clone(),
            deliver_group: self.group.clone(),
            deliver_policy: start
                .map_or(self.policy, |start_sequence| DeliverPolicy::ByStartSequence { start_sequence }),
            ack_policy: self.acknowledgement,
            ack_wait: self.ack_wait.unwrap_or_default(),
            max_deliver: self.max_deliver,
            filter_subject: topic.to_owned(),
            rate_limit: self.rate_limit,
            max_ack_pending: self.max_ack_pending,
            flow_control: self.flow_control,
            idle_heartbeat: self.heartbeat,
            num_replicas: self.replicas,
            memory_storage: self.memory_storage,
            backoff: self.back_off.clone(),
            ..push::Config::default()
        }
    }

    /// Returns the time after which the server delivers a message again that nobody has acknowledged.
    pub(super) fn redelivery_delay(&self) -> Duration {
        /// The server's own default.
        const DEFAULT_ACK_WAIT: Duration = Duration::from_secs(30);
        self.back_off.first().copied().or(self.ack_wait).unwrap_or(DEFAULT_ACK_WAIT)
    }
}

fn policy(properties: &Properties) -> Result<DeliverPolicy, PropertyError> {
    let start_sequence = properties.int::<u64>("startSequence")?;
    let start_time = properties.int::<i64>("startTime")?;
    match properties.get("deliverPolicy") {
        None | Some("all") => Ok(DeliverPolicy::All),
        Some("last") => Ok(DeliverPolicy::Last),
        Some("new") => Ok(DeliverPolicy::New),
        Some("sequence") => match start_sequence {
            Some(start_sequence @ 1..) => Ok(DeliverPolicy::ByStartSequence { start_sequence }),
            _ => Err(PropertyError::invalid("startSequence", "a number from 1 with deliverPolicy sequence")),
        },
        Some("time") => {
            let nanos = start_time.map(|seconds| i128::from(seconds) * 1_000_000_000);
            match nanos.and_then(|nanos| from_nanos(nanos).ok()) {
                Some(start_time) => Ok(DeliverPolicy::ByStartTime { start_time }),
                None => Err(PropertyError::invalid("startTime", "seconds since 1970 with deliverPolicy time")),
            }
        }
        Some(_) => Err(PropertyError::invalid("deliverPolicy", "all, last, new, sequence or time")),
    }
}

/// Parses durations that are separated by commas.
fn durations(text: &str) -> Option<Vec<Duration>> {
    let parse = |text: &str| {
        let properties: Properties = [("one", text.trim())].into_iter().collect();
        properties.duration("one").ok()?
    };
    text.split(',').map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<Config, String> {
        let properties = [&[("natsURL", "nats://user:hush@localhost:4222")][..], more].concat();
        let config = Config::read(&properties.into_iter().collect(), &Context::default());
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn properties_become_those_of_the_consumer() {
        let properties = [
            ("durableName", "shop"),
            ("queueGroupName", "shops"),
            ("ackWait", "10s"),
            ("maxDeliver", "5"),
            ("backOff", "50ms, 1s"),
            ("maxAckPending", "7"),
            ("deliverPolicy", "sequence"),
            ("startSequence", "3"),
            ("heartbeat", "2s"),
            ("flowControl", "true"),
        ];
        let consumer = read(&properties).unwrap().consumer;
        let push = consumer.to_push("orders", "inbox".into(), None);
        assert_eq!((push.durable_name.as_deref(), push.deliver_group.as_deref()), (Some("shop"), Some("shops")));
        assert_eq!((push.max_deliver, push.max_ack_pending, push.flow_control), (5, 7, true));
        assert_eq!(push.backoff, [Duration::from_millis(50), Duration::from_secs(1)]);
        assert_eq!(push.deliver_policy, DeliverPolicy::ByStartSequence { start_sequence: 3 });
        assert_eq!(consumer.redelivery_delay(), Duration::from_millis(50));
    }

    #[test]
    fn unusable_values_are_named() {
        for (name, value) in [
            ("natsURL", "http://user:hush@here"),
            ("durableName", "a.b"),
            ("ackPolicy", "sometimes"),
            ("deliverPolicy", "first"),
            ("ackWait", "soon"),
            ("backOff", "1s, later"),
            ("replicas", "-1"),
            ("concurrencyMode", "many"),
        ] {
            let error = read(&[(name, value)]).err().unwrap();
            assert!(error.contains(name) && !error.contains("hush"), "{name}: {error}");
        }
    }

    #[test]
    fn credentials_of_the_url_are_no_part_of_the_address() {
        let (servers, login) = servers("nats://me:p%40hush@one, two:7").unwrap();
        assert_eq!(servers.iter().map(|it| (it.host(), it.port())).collect::<Vec<_>>(), [("one", 4222), ("two", 7)]);
        assert!(matches!(login, Login::User { name, password } if name == "me" && password == "p@hush"));
        assert!(!format!("{servers:?}").contains("hush"));
        assert!(super::servers("nats://me:a@one,nats://me:b@two").is_err());
    }

    #[test]
    fn credentials_need_their_other_half() {
        for (given, missing) in [("jwt", "seedKey"), ("seedKey", "jwt"), ("tls_client_cert", "tls_client_key")] {
            let error = read(&[(given, "hush")]).err().unwrap();
            assert!(error.contains(missing) && !error.contains("hush"), "{error}");
        }
        let error = read(&[("jwt", "hush"), ("seedKey", "hush")]).unwrap().options().err().unwrap().to_string();
        assert!(error.contains("seedKey") && !error.contains("hush"), "{error}");
    }
}
