//! Properties of `pubsub.sqlite`.

use std::path::PathBuf;
use std::time::Duration;

use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::{Context, Properties};

const DEFAULT_RETENTION: Duration = Duration::from_secs(24 * 3600);
/// Default for the payloads that are kept, in bytes.
const DEFAULT_MAX_BYTES: u64 = 1 << 30;
const DEFAULT_REDELIVER_INTERVAL: Duration = Duration::from_secs(1);
const DEFAULT_MAX_DELIVERIES: u32 = 10;

#[derive(Clone, Debug)]
pub(super) struct Config {
    /// `connectionString`: path of the file.
    pub(super) file: PathBuf,
    /// `consumerID`: group of subscribers; by default the app id.
    pub(super) group: String,
    /// `retention`: time for which messages are kept; longer until every group has got them.
    pub(super) retention: Duration,
    /// `maxBytes`: maximum size of all payloads.
    pub(super) max_bytes: u64,
    pub(super) redelivery: Redelivery,
    /// `concurrency`: messages of one subscription under way at once; with more than one, order is lost.
    pub(super) concurrency: usize,
}

/// Redelivery of messages that are not processed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redelivery {
    /// `redeliverInterval`: first delay, which doubles with each attempt.
    pub(super) interval: Duration,
    /// `maxDeliveries`: attempts before the message is parked.
    pub(super) max_deliveries: u32,
}

impl Redelivery {
    /// Longest delay.
    const MAX_DELAY: Duration = Duration::from_secs(60);

    /// Returns the delay after the failed attempt number `attempt`, from 1; `None` if it was the last.
    pub(super) fn delay(self, attempt: u32) -> Option<Duration> {
        let doubled = self.interval.saturating_mul(1 << (attempt - 1).min(16));
        (attempt < self.max_deliveries).then(|| doubled.min(self.longest_delay()))
    }

    pub(super) fn longest_delay(self) -> Duration {
        Self::MAX_DELAY.max(self.interval)
    }
}

impl Config {
    pub(super) fn read(properties: &Properties, context: &Context) -> Result<Self, PropertyError> {
        let path = properties.required("connectionString")?;
        let path = path.strip_prefix("file:").unwrap_or(path);
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            return Err(PropertyError::invalid("connectionString", "the path of a file, without options"));
        }
        let group = properties.get("consumerID").map(str::trim).filter(|group| !group.is_empty());
        let positive = |name, default: u32| match properties.int::<u32>(name)? {
            Some(0) => Err(PropertyError::invalid(name, "a number from 1")),
            number => Ok(number.unwrap_or(default)),
        };
        let interval = properties.duration("redeliverInterval")?.unwrap_or(DEFAULT_REDELIVER_INTERVAL);
        if interval.is_zero() {
            return Err(PropertyError::invalid("redeliverInterval", "longer than 0s"));
        }
        Ok(Self {
            file: context.resolve(path),
            group: group.unwrap_or(&context.app_id).to_owned(),
            retention: properties.duration("retention")?.unwrap_or(DEFAULT_RETENTION),
            max_bytes: properties.int("maxBytes")?.unwrap_or(DEFAULT_MAX_BYTES),
            redelivery: Redelivery { interval, max_deliveries: positive("maxDeliveries", DEFAULT_MAX_DELIVERIES)? },
            concurrency: usize::try_from(positive("concurrency", 1)?).unwrap_or(usize::MAX).min(1000),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Result<Config, String> {
        let context = Context { app_id: "app".into(), base_dir: "/base".into(), ..Context::default() };
        Config::read(&properties.iter().copied().collect(), &context).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_the_app_and_its_directory() {
        let config = read(&[("connectionString", "data/messages.db")]).unwrap();
        assert_eq!((config.file.as_path(), config.group.as_str()), ("/base/data/messages.db".as_ref(), "app"));
        assert_eq!((config.retention, config.concurrency), (DEFAULT_RETENTION, 1));
    }

    #[test]
    fn unusable_values_are_named() {
        for (name, value) in [
            ("connectionString", ":memory:"),
            ("connectionString", "a.db?mode=ro"),
            ("maxDeliveries", "0"),
            ("redeliverInterval", "0s"),
            ("retention", "soon"),
        ] {
            let path = [("connectionString", "a.db")];
            let given = [(name, value)];
            let path = if name == "connectionString" { &[][..] } else { &path };
            let error = read(&[path, &given].concat()).unwrap_err();
            assert!(error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn delays_double_until_the_last_delivery() {
        let redelivery = Redelivery { interval: Duration::from_secs(1), max_deliveries: 10 };
        let seconds = |attempt| redelivery.delay(attempt).map(|delay| delay.as_secs());
        assert_eq!([1, 2, 3, 7, 9, 10].map(seconds), [Some(1), Some(2), Some(4), Some(60), Some(60), None]);
    }
}
