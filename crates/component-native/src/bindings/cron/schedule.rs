//! Schedules in Dapr's notation (`github.com/dapr/kit/cron`).
//!
//! Five or six fields, `@every 15s`, `@daily` and similar, with an optional `CRON_TZ=Europe/Berlin` before the fields.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use dapr_building_blocks::go_duration;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Minimum interval of `@every`; shorter ones are raised to it.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Schedule of events.
#[derive(Clone, Debug)]
pub(super) enum Schedule {
    Every(Duration),
    Fields { cron: Box<Cron>, zone: TimeZone },
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ScheduleError {
    #[error("@every needs a positive duration such as 15s or 1h30m")]
    Every,
    #[error("unknown time zone {0:?}")]
    Zone(String),
    #[error("{0:?} is none of @yearly, @monthly, @weekly, @daily, @hourly and @every")]
    Descriptor(String),
    #[error(transparent)]
    Fields(#[from] croner::errors::CronError),
}

impl Schedule {
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let (zone, text) = split_zone(text.trim())?;
        if let Some(duration) = text.strip_prefix("@every ") {
            let nanos = go_duration::parse(duration.trim()).map_err(|_| ScheduleError::Every)?;
            return if nanos > 0 {
                Ok(Self::Every(Duration::from_nanos(nanos.unsigned_abs()).max(MIN_INTERVAL)))
            } else {
                Err(ScheduleError::Every)
            };
        }
        let fields = if text.starts_with('@') { descriptor(text)? } else { text };
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        Ok(Self::Fields { cron: Box::new(parser.parse(fields)?), zone })
    }

    /// Returns the first time after `last`, if there is one.
    pub(super) fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => last.checked_add(*interval).ok(),
            Self::Fields { cron, zone } => {
                let next = cron.find_next_occurrence(&last.to_zoned(zone.clone()), false).ok()?;
                Some(next.timestamp())
            }
        }
    }
}

fn split_zone(text: &str) -> Result<(TimeZone, &str), ScheduleError> {
    let Some(named) = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) else {
        return Ok((TimeZone::system(), text));
    };
    let (name, rest) = named.split_once(' ').unwrap_or((named, ""));
    let zone = TimeZone::get(name).map_err(|_| ScheduleError::Zone(name.to_owned()))?;
    Ok((zone, rest.trim_start()))
}

fn descriptor(text: &str) -> Result<&'static str, ScheduleError> {
    match text {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        _ => Err(ScheduleError::Descriptor(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: &str, last: &str) -> String {
        let schedule = Schedule::parse(schedule).unwrap();
        schedule.next_after(last.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn five_fields_start_with_minutes_and_six_with_seconds() {
        assert_eq!(check("CRON_TZ=UTC 30 9 * * 1-5", "2026-01-02T10:00:00Z"), "2026-01-05T09:30:00Z");
        assert_eq!(check("CRON_TZ=UTC 15 * * * * *", "2026-01-02T10:00:15Z"), "2026-01-02T10:01:15Z");
        assert_eq!(check("TZ=UTC */20 * * * * *", "2026-01-02T10:00:05Z"), "2026-01-02T10:00:20Z");
    }

    #[test]
    fn every_counts_from_last_event() {
        assert_eq!(check("@every 1m30s", "2026-01-02T10:00:00Z"), "2026-01-02T10:01:30Z");
    }

    #[test]
    fn every_is_at_least_one_second() {
        assert_eq!(check("@every 1ms", "2026-01-02T10:00:00Z"), "2026-01-02T10:00:01Z");
    }

    #[test]
    fn descriptors_expand_to_their_fields() {
        assert_eq!(check("TZ=UTC @daily", "2026-01-02T10:00:00Z"), "2026-01-03T00:00:00Z");
        assert_eq!(check("TZ=UTC @hourly", "2026-01-02T10:00:00Z"), "2026-01-02T11:00:00Z");
    }

    #[test]
    fn time_zone_shifts_the_schedule() {
        assert_eq!(check("CRON_TZ=Asia/Tokyo 0 9 * * *", "2026-01-02T10:00:00Z"), "2026-01-03T00:00:00Z");
    }

    #[test]
    fn invalid_schedules_are_rejected() {
        for wrong in
            ["", "* * * *", "* * * * * * *", "61 * * * *", "@every", "@every -1s", "@sometimes", "TZ=Mars/X @daily"]
        {
            assert!(Schedule::parse(wrong).is_err(), "{wrong}");
        }
    }
}
