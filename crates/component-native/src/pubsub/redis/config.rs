//! Properties of `pubsub.redis`.

use std::time::Duration;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Context, Properties};

use crate::redis_client::Settings;

/// Dapr's documented defaults.
const DEFAULT_PROCESSING_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_REDELIVER_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_QUEUE_DEPTH: u32 = 100;
const DEFAULT_CONCURRENCY: u32 = 10;
/// Limit on `queueDepth` and `concurrency`.
const MAX_QUEUE_DEPTH: u32 = 10_000;

pub(super) struct Config {
    pub(super) server: Settings,
    /// `consumerID`: group of subscribers; by default the app id.
    pub(super) group: String,
    pub(super) delivery: Delivery,
    pub(super) trimming: Option<Trimming>,
    /// True if `streamTTL` has no effect, because `maxLenApprox` is set.
    pub(super) ignores_ttl: bool,
}

/// Limits on the deliveries of one subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// `queueDepth`: messages that wait in this process.
    pub(super) queue_depth: usize,
    /// `concurrency`: messages that are processed at once.
    pub(super) concurrency: usize,
    /// `None` if messages are not delivered again.
    pub(super) redelivery: Option<Redelivery>,
}

/// Redelivery of pending messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Redelivery {
    /// `processingTimeout`: time for which a message must be pending.
    pub(super) processing_timeout: Duration,
    /// `redeliverInterval`: time between two searches for such messages.
    pub(super) interval: Duration,
}

/// Messages that a publish removes from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trimming {
    /// `maxLenApprox`: the oldest messages beyond about this number.
    Length(u64),
    /// `streamTTL`: messages older than this.
    Age(Duration),
}

impl Delivery {
    /// Returns limits that let a handler wait for `batch` messages.
    pub(super) fn for_batch(self, batch: usize) -> Self {
        let concurrency = self.concurrency.max(batch);
        Self { concurrency, queue_depth: self.queue_depth.max(batch), ..self }
    }
}

impl Config {
    pub(super) fn read(properties: &Properties, context: &Context) -> Result<Self, PropertyError> {
        let group = properties.get("consumerID").map(str::trim).filter(|group| !group.is_empty());
        let count = |name, default| match properties.int::<u32>(name)? {
            Some(number) if !(1..=MAX_QUEUE_DEPTH).contains(&number) => {
                Err(PropertyError::invalid(name, format!("a number from 1 to {MAX_QUEUE_DEPTH}")))
            }
            number => Ok(usize::try_from(number.unwrap_or(default)).unwrap_or(usize::MAX)),
        };
        let processing_timeout = millis(properties, "processingTimeout")?.unwrap_or(DEFAULT_PROCESSING_TIMEOUT);
        let interval = millis(properties, "redeliverInterval")?.unwrap_or(DEFAULT_REDELIVER_INTERVAL);
        let is_redelivered = !processing_timeout.is_zero() && !interval.is_zero();
        let length = properties.int::<u64>("maxLenApprox")?.filter(|length| *length > 0);
        let age = properties.duration("streamTTL")?.filter(|age| !age.is_zero());
        Ok(Self {
            server: Settings::read(properties)?,
            group: group.unwrap_or(&context.app_id).to_owned(),
            delivery: Delivery {
                queue_depth: count("queueDepth", DEFAULT_QUEUE_DEPTH)?,
                concurrency: count("concurrency", DEFAULT_CONCURRENCY)?,
                redelivery: is_redelivered.then_some(Redelivery { processing_timeout, interval }),
            },
            trimming: length.map(Trimming::Length).or(age.map(Trimming::Age)),
            ignores_ttl: length.is_some() && age.is_some(),
        })
    }
}

/// Parses a duration. As in Dapr, a bare number is milliseconds here.
fn millis(properties: &Properties, name: &str) -> Result<Option<Duration>, PropertyError> {
    match properties.get(name).map(|text| text.trim().parse::<u64>()) {
        Some(Ok(millis)) => Ok(Some(Duration::from_millis(millis))),
        _ => properties.duration(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<Config, String> {
        let properties = [&[("redisHost", "localhost"), ("redisPassword", "hush")][..], more].concat();
        let context = Context { app_id: "app".into(), ..Context::default() };
        Config::read(&properties.into_iter().collect(), &context).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_that_dapr_documents() {
        let config = read(&[]).unwrap();
        let redelivery = Redelivery { processing_timeout: Duration::from_secs(15), interval: Duration::from_secs(60) };
        let expected = Delivery { queue_depth: 100, concurrency: 10, redelivery: Some(redelivery) };
        assert_eq!((config.group.as_str(), config.delivery, config.trimming), ("app", expected, None));
    }

    #[test]
    fn bare_times_are_milliseconds_and_zero_disables_redelivery() {
        let redelivery = |properties: &[_]| read(properties).unwrap().delivery.redelivery;
        let set = redelivery(&[("processingTimeout", "250"), ("redeliverInterval", "1m")]).unwrap();
        assert_eq!((set.processing_timeout, set.interval), (Duration::from_millis(250), Duration::from_secs(60)));
        assert_eq!(redelivery(&[("processingTimeout", "0")]), None);
        assert_eq!(redelivery(&[("redeliverInterval", "0s")]), None);
    }

    #[test]
    fn length_takes_precedence_over_age() {
        let both = read(&[("maxLenApprox", "5"), ("streamTTL", "1h")]).unwrap();
        assert_eq!((both.trimming, both.ignores_ttl), (Some(Trimming::Length(5)), true));
        let age = read(&[("streamTTL", "1h")]).unwrap();
        assert_eq!((age.trimming, age.ignores_ttl), (Some(Trimming::Age(Duration::from_secs(3600))), false));
    }

    #[test]
    fn unusable_values_are_named() {
        for (name, value) in [
            ("queueDepth", "0"),
            ("concurrency", "-1"),
            ("processingTimeout", "soon"),
            ("redeliverInterval", "often"),
            ("maxLenApprox", "-5"),
            ("streamTTL", "old"),
            ("enableTLS", "true"),
        ] {
            let error = read(&[(name, value)]).err().unwrap();
            assert!(error.contains(name) && !error.contains("hush"), "{name}: {error}");
        }
    }
}
