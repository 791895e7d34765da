//! What may differ between two worlds without meaning anything, and why. Everything else is compared as it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use regex_lite::{Captures, Regex};

use worlds::Answer;
use worlds::To;

/// Times are told to this many seconds: two answers to one question do not come at the same moment.
const GRAIN: f64 = 10.0;
/// Waits are rounded up to full minutes: services count down, and one world may be many seconds slower than the other.
const WAIT_GRAIN: u64 = 60;
/// Events of one run are told from those of another time.
const EVENT_GRAIN: f64 = 3600.0;

/// Rewrites answers of one world and one case.
pub(crate) struct Normaliser {
    /// Text that is this world's own, and what it means in any world.
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
    /// The UUIDs of this case so far: the same one gets the same number, so that "it changed" and "it did not" stay apart.
    seen: BTreeMap<String, usize>,
}

impl Normaliser {
    /// For a world with these ports and names of its own.
    pub(crate) fn new(ports: &BTreeMap<To, u16>, names: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut own: Vec<_> = names.iter().map(|(own, meaning)| ((*own).to_owned(), (*meaning).to_owned())).collect();
        // Where an application listens is chosen anew for each run.
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
            // Etags of SQLite and of the stores in memory are random, that of the Wasm store without hyphens; Redis counts, and
            // its etags are compared as they are.
            uuid: Regex::new("[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")?,
            // When something expires, or when a statement ran, depends on when it was asked.
            time: Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")?,
            // Trace ids are random; that there is one, and its flags, are compared.
            trace: Regex::new("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")?,
            // How long a statement took.
            duration: Regex::new(r"^\d+(\.\d+)?(ns|µs|ms|s)$")?,
            // The line and the hash of a Lua script: the scripts are not the same text.
            script: Regex::new(r"user_script:\d+: |script: [0-9a-f]{40}, on @user_script:\d+")?,
            // How long a model took to load and to be tried.
            took: Regex::new(r#""(load_ms|first_inference_ms)":\d+(\.\d+)?"#)?,
            // How long a user who asked too often is to wait.
            wait: Regex::new(r"try again in (\d+) s\b")?,
            // When an event happened, in milliseconds.
            moment: Regex::new(r#""event_ts":(\d{13})\b"#)?,
            // Features of `daprd`'s own, in random order.
            features: Regex::new(r#""enabledFeatures":\[[^\]]*\],"#)?,
            seen: BTreeMap::new(),
        })
    }

    /// `answer` without what may differ. Bodies that are no text stay as they are.
    pub(crate) fn normalise(&mut self, answer: &Answer) -> Answer {
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
        Answer { status: answer.status, headers, body }
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

/// A time as its distance from now, with the form in which it was written.
fn relative(found: &Captures<'_>) -> String {
    let part = |number: usize| found.get(number).map_or("", |it| it.as_str());
    let Ok(time) = part(0).parse::<Timestamp>() else { return part(0).to_owned() };
    let seconds = (time.as_millisecond() - Timestamp::now().as_millisecond()) as f64 / 1000.0;
    let about = about(seconds, GRAIN);
    let fraction = if part(1).is_empty() { "" } else { " with a fraction" };
    let zone = if part(2) == "Z" { "UTC" } else { "an offset" };
    format!("<{about} s from now, {zone}{fraction}>")
}

/// Seconds to wait as the next full grain; what is no number stays as it is.
fn within(seconds: &str) -> String {
    let rounded = |seconds: u64| format!("<up to {}>", seconds.div_ceil(WAIT_GRAIN) * WAIT_GRAIN);
    seconds.parse().map_or_else(|_| seconds.to_owned(), rounded)
}

/// Zero is added so that there is no minus zero.
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

    fn text(told: &[&str]) -> Vec<String> {
        let mut normaliser = normaliser();
        told.iter().map(|text| normaliser.text(text)).collect()
    }

    #[test]
    fn which_uuids_are_the_same_is_kept() {
        assert_eq!(text(&[A, B, A]), ["<uuid 1>", "<uuid 2>", "<uuid 1>"]);
        assert_ne!(text(&[A, A]), text(&[A, B]));
        assert_eq!(text(&[&A.replace('-', ""), B]), ["<uuid 1>", "<uuid 2>"]);
    }

    #[test]
    fn etags_that_are_numbers_stay_as_they_are() {
        assert_eq!(text(&["1", "12"]), ["1", "12"]);
    }

    #[test]
    fn a_time_keeps_its_distance_and_its_form() {
        let at =
            |seconds: i64| (Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).strftime("%FT%TZ").to_string();
        assert_eq!(text(&[&at(1000), &at(500)]), ["<1000 s from now, UTC>", "<500 s from now, UTC>"]);
        assert_ne!(text(&["2026-01-01T00:00:00Z"]), text(&["2026-01-01T00:00:00+00:00"]));
        assert_ne!(text(&["2026-01-01T00:00:00Z"]), text(&["2026-01-01T00:00:00.5Z"]));
    }

    #[test]
    fn a_trace_keeps_its_flags_and_whether_it_is_one() {
        let zero = format!("00-{}-{}-00", "0".repeat(32), "0".repeat(16));
        let some = format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16));
        assert_eq!(text(&[&zero, &some]), ["<no trace 00>", "<trace 01>"]);
    }

    #[test]
    fn only_known_ports_lose_their_number() {
        assert_eq!(text(&["127.0.0.1:1234", "127.0.0.1:9"]), ["127.0.0.1:<port of a>", "127.0.0.1:9"]);
    }

    #[test]
    fn only_what_a_model_took_loses_its_number() {
        let told = text(&[r#"{"load_ms":3.25,"first_inference_ms":12,"bytes":7}"#]);
        assert_eq!(told, [r#"{"load_ms":<ms>,"first_inference_ms":<ms>,"bytes":7}"#]);
        assert_eq!(text(&["load_ms: 3"]), ["load_ms: 3"]);
    }

    #[test]
    fn waits_are_rounded_up_to_full_minutes() {
        assert_eq!(
            text(&["try again in 41 s", "try again in 35 s", "try again in 70 s", "in 36 s", "36"]),
            ["try again in <up to 60> s", "try again in <up to 60> s", "try again in <up to 120> s", "in 36 s", "36"]
        );
        let header = |value: &str| {
            let headers = vec![("retry-after".to_owned(), value.to_owned())];
            normaliser().normalise(&Answer { status: 429, headers, body: Vec::new() }).headers[0].1.clone()
        };
        assert_eq!([header("41"), header("36"), header("0")], ["<up to 60>", "<up to 60>", "<up to 0>"]);
        assert_eq!(header("soon"), "soon");
    }

    #[test]
    fn a_duration_is_one_only_in_its_header() {
        let answer = |name: &str, value: &str| Answer {
            status: 200,
            headers: vec![(name.to_owned(), value.to_owned())],
            body: b"1.5ms".to_vec(),
        };
        let normalised = normaliser().normalise(&answer("metadata.duration", "1.5ms"));
        assert_eq!((normalised.headers[0].1.as_str(), normalised.text().as_str()), ("<duration>", "1.5ms"));
        assert_eq!(normaliser().normalise(&answer("metadata.duration", "soon")).headers[0].1, "soon");
    }
}
