//! Removes differences between two deployments that carry no meaning. Everything else is compared unchanged.

use std::collections::BTreeMap;

use jiff::Timestamp;
use regex_lite::{Captures, Regex};

use deployments::RecordedResponse;
use deployments::To;

/// Granularity of times in seconds: the two responses are not sent at the same moment.
const GRAIN: f64 = 10.0;
/// Granularity of retry delays in seconds: services count down, and one deployment may be many seconds slower.
const WAIT_GRAIN: u64 = 60;
/// Granularity of event times in seconds: distinguishes events of this run from older ones.
const EVENT_GRAIN: f64 = 3600.0;

/// Rewrites responses of one deployment and one case.
pub(crate) struct Normaliser {
    /// Text specific to this deployment, and its replacement.
    own: Vec<(String, String)>,
    uuid: Regex,
    time: Regex,
    trace: Regex,
    duration: Regex,
    script: Regex,
    features: Regex,
    moment: Regex,
    took: Regex,
    wait: Regex,
    /// UUIDs seen in this case: equal ones get equal numbers, so that a changed one is visible.
    seen: BTreeMap<String, usize>,
}

impl Normaliser {
    /// Creates a normaliser for a deployment with these ports and names.
    pub(crate) fn new(ports: &BTreeMap<To, u16>, names: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut own: Vec<_> = names.iter().map(|(own, meaning)| ((*own).to_owned(), (*meaning).to_owned())).collect();
        // Application ports are chosen anew for each run.
        for (to, port) in ports {
            let name = match to {
                To::App(id) => format!("<port of {id}>"),
                To::Dapr(id) | To::Grpc(id) => format!("<Dapr port of {id}>"),
            };
            own.push((format!("127.0.0.1:{port}"), format!("127.0.0.1:{name}")));
            own.push((format!("\"port\":{port}"), format!("\"port\":{name}")));
        }
        Ok(Self {
            own,
            // Etags of SQLite and of the stores in memory are random, that of the Wasm store has no hyphens; Redis
            // counts, and its etags are compared unchanged.
            uuid: Regex::new("[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")?,
            // Expiry times and statement times depend on the time of the request.
            time: Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")?,
            // Trace ids are random; the presence of one, and its flags, are compared.
            trace: Regex::new("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")?,
            // Duration of a statement.
            duration: Regex::new(r"^\d+(\.\d+)?(ns|µs|ms|s)$")?,
            // Line and hash of a Lua script: the scripts are not the same text.
            script: Regex::new(r"user_script:\d+: |script: [0-9a-f]{40}, on @user_script:\d+")?,
            // Duration of loading and warming up a model.
            took: Regex::new(r#""(load_ms|first_inference_ms)":\d+(\.\d+)?"#)?,
            // Retry delay of a rate-limited user.
            wait: Regex::new(r"try again in (\d+) s\b")?,
            // Time of an event in milliseconds.
            moment: Regex::new(r#""event_ts":(\d{13})\b"#)?,
            // `daprd`'s own features, in random order.
            features: Regex::new(r#""enabledFeatures":\[[^\]]*\],"#)?,
            seen: BTreeMap::new(),
        })
    }

    /// Rewrites a response. Bodies that are not text stay unchanged.
    pub(crate) fn normalise(&mut self, answer: &RecordedResponse) -> RecordedResponse {
        let headers = answer.headers.iter().map(|(name, value)| {
            let value = match name.as_str() {
                "metadata.duration" => self.duration.replace(value, "<duration>").into_owned(),
                "retry-after" => within(value),
                _ => self.text(value),
            };
            (name.clone(), value)
        });
        let headers = headers.collect();
        let body = match std::str::from_utf8(&answer.body) {
            Ok(text) => self.text(text).into_bytes(),
            Err(_) => answer.body.clone(),
        };
        RecordedResponse { status: answer.status, headers, body }
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (own, meaning) in &self.own {
            text = text.replace(own.as_str(), meaning);
        }
        let text = self.script.replace_all(&text, "<script>");
        let text = self.features.replace_all(&text, "");
        let text = self.took.replace_all(&text, "\"$1\":<ms>");
        let text = self.wait.replace_all(&text, |found: &Captures<'_>| {
            format!("try again in {} s", within(found.get(1).map_or("", |it| it.as_str())))
        });
        let text = self.moment.replace_all(&text, |found: &Captures<'_>| {
            let millis: i64 = found.get(1).and_then(|it| it.as_str().parse().ok()).unwrap_or_default();
            let seconds = (millis - Timestamp::now().as_millisecond()) as f64 / 1000.0;
            format!("\"event_ts\":<{} s from now>", about(seconds, EVENT_GRAIN))
        });
        let text = self.trace.replace_all(&text, |found: &Captures<'_>| {
            let is_zero = |part: usize| found.get(part).is_some_and(|it| it.as_str().bytes().all(|byte| byte == b'0'));
            let flags = found.get(3).map_or("", |it| it.as_str());
            if is_zero(1) && is_zero(2) { format!("<no trace {flags}>") } else { format!("<trace {flags}>") }
        });
        let text = self.time.replace_all(&text, |found: &Captures<'_>| relative(found));
        let seen = &mut self.seen;
        let text = self.uuid.replace_all(&text, |found: &Captures<'_>| {
            let next = seen.len() + 1;
            let number = *seen.entry(found.get(0).map_or("", |it| it.as_str()).to_owned()).or_insert(next);
            format!("<uuid {number}>")
        });
        text.into_owned()
    }
}

/// Formats a time as its distance from now, with its original notation.
fn relative(found: &Captures<'_>) -> String {
    let part = |number: usize| found.get(number).map_or("", |it| it.as_str());
    let Ok(time) = part(0).parse::<Timestamp>() else { return part(0).to_owned() };
    let seconds = (time.as_millisecond() - Timestamp::now().as_millisecond()) as f64 / 1000.0;
    let about = about(seconds, GRAIN);
    let fraction = if part(1).is_empty() { "" } else { " with a fraction" };
    let zone = if part(2) == "Z" { "UTC" } else { "an offset" };
    format!("<{about} s from now, {zone}{fraction}>")
}

/// Rounds a delay in seconds up to a full grain; leaves other text unchanged.
fn within(seconds: &str) -> String {
    let rounded = |seconds: u64| format!("<up to {}>", seconds.div_ceil(WAIT_GRAIN) * WAIT_GRAIN);
    seconds.parse().map_or_else(|_| seconds.to_owned(), rounded)
}

/// Zero is added to avoid minus zero.
fn about(seconds: f64, grain: f64) -> f64 {
    (seconds / grain).round() * grain + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00000000-0000-4000-8000-00000000000a";
    const B: &str = "00000000-0000-4000-8000-00000000000b";

    fn normaliser() -> Normaliser {
        Normaliser::new(&BTreeMap::from([(To::App("a"), 1234)]), &[("/tmp/x", "<folder>")]).unwrap()
    }

    fn text(normalised: &[&str]) -> Vec<String> {
        let mut normaliser = normaliser();
        normalised.iter().map(|text| normaliser.text(text)).collect()
    }

    #[test]
    fn equal_uuids_get_equal_numbers() {
        assert_eq!(text(&[A, B, A]), ["<uuid 1>", "<uuid 2>", "<uuid 1>"]);
        assert_ne!(text(&[A, A]), text(&[A, B]));
        assert_eq!(text(&[&A.replace('-', ""), B]), ["<uuid 1>", "<uuid 2>"]);
    }

    #[test]
    fn numeric_etags_are_unchanged() {
        assert_eq!(text(&["1", "12"]), ["1", "12"]);
    }

    #[test]
    fn time_keeps_its_distance_and_notation() {
        let at =
            |seconds: i64| (Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).strftime("%FT%TZ").to_string();
        assert_eq!(text(&[&at(1000), &at(500)]), ["<1000 s from now, UTC>", "<500 s from now, UTC>"]);
        assert_ne!(text(&["2026-01-01T00:00:00Z"]), text(&["2026-01-01T00:00:00+00:00"]));
        assert_ne!(text(&["2026-01-01T00:00:00Z"]), text(&["2026-01-01T00:00:00.5Z"]));
    }

    #[test]
    fn trace_keeps_its_flags_and_presence() {
        let zero = format!("00-{}-{}-00", "0".repeat(32), "0".repeat(16));
        let some = format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16));
        assert_eq!(text(&[&zero, &some]), ["<no trace 00>", "<trace 01>"]);
    }

    #[test]
    fn only_known_ports_are_replaced() {
        assert_eq!(text(&["127.0.0.1:1234", "127.0.0.1:9"]), ["127.0.0.1:<port of a>", "127.0.0.1:9"]);
    }

    #[test]
    fn only_model_durations_are_replaced() {
        let normalised = text(&[r#"{"load_ms":3.25,"first_inference_ms":12,"bytes":7}"#]);
        assert_eq!(normalised, [r#"{"load_ms":<ms>,"first_inference_ms":<ms>,"bytes":7}"#]);
        assert_eq!(text(&["load_ms: 3"]), ["load_ms: 3"]);
    }

    #[test]
    fn retry_delays_are_rounded_up_to_minutes() {
        assert_eq!(
            text(&["try again in 41 s", "try again in 35 s", "try again in 70 s", "in 36 s", "36"]),
            ["try again in <up to 60> s", "try again in <up to 60> s", "try again in <up to 120> s", "in 36 s", "36"]
        );
        let header = |value: &str| {
            let headers = vec![("retry-after".to_owned(), value.to_owned())];
            normaliser().normalise(&RecordedResponse { status: 429, headers, body: Vec::new() }).headers[0].1.clone()
        };
        assert_eq!([header("41"), header("36"), header("0")], ["<up to 60>", "<up to 60>", "<up to 0>"]);
        assert_eq!(header("soon"), "soon");
    }

    #[test]
    fn duration_is_replaced_only_in_its_header() {
        let answer = |name: &str, value: &str| RecordedResponse {
            status: 200,
            headers: vec![(name.to_owned(), value.to_owned())],
            body: b"1.5ms".to_vec(),
        };
        let normalised = normaliser().normalise(&answer("metadata.duration", "1.5ms"));
        assert_eq!((normalised.headers[0].1.as_str(), normalised.text().as_str()), ("<duration>", "1.5ms"));
        assert_eq!(normaliser().normalise(&answer("metadata.duration", "soon")).headers[0].1, "soon");
    }
}
