//! Format of applications' log lines.

use std::fmt::Write as _;

use guest_wasmedge::OutputStream;
use serde_json::json;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

use super::escape;
use crate::cli::LogFormat;

/// Colours that are readable on dark and light terminals.
const COLOURS: [&str; 6] = ["36", "35", "33", "32", "34", "31"];

/// Formatter of applications' lines as text or JSON.
pub(super) struct AppLineFormat {
    format: LogFormat,
    is_terminal: bool,
    /// Application ids; an application's index determines its colour.
    apps: Vec<String>,
}

impl AppLineFormat {
    pub(super) fn new(format: LogFormat, is_terminal: bool, apps: Vec<String>) -> Self {
        Self { format, is_terminal, apps }
    }

    pub(super) fn log_format(&self) -> LogFormat {
        self.format
    }

    /// Formats one line of `app`, with its line ending.
    pub(super) fn line(&self, app: &str, stream: OutputStream, line: &str) -> String {
        match self.format {
            LogFormat::Json => {
                let stream = if stream == OutputStream::Stdout { "stdout" } else { "stderr" };
                let line = json!({
                    "timestamp": timestamp(), "level": "INFO", "message": line, "app": app, "stream": stream,
                });
                format!("{line}\n")
            }
            LogFormat::Text => {
                let (start, end) = self.colour(app);
                format!("{start}== {app} =={end} {}\n", escape::for_text(line, self.is_terminal))
            }
        }
    }

    /// Formats the notice that lines of `app`, or of daprlet, were dropped.
    ///
    /// The cause is a slow reader or a failed write.
    pub(super) fn dropped(&self, app: Option<&str>, lines: u64) -> String {
        self.notice(app, lines, "log lines dropped: they were not read or could not be written")
    }

    /// Formats the notice that lines of `app` were dropped because it exceeded its budget.
    pub(super) fn over_budget(&self, app: &str, lines: u64, kib: usize) -> String {
        self.notice(Some(app), lines, &format!("log lines dropped: more than {kib} KiB a second (--log-budget)"))
    }

    fn notice(&self, app: Option<&str>, lines: u64, message: &str) -> String {
        match self.format {
            LogFormat::Json => {
                let mut line = json!({ "timestamp": timestamp(), "level": "WARN", "message": message, "lines": lines });
                if let (Some(app), Some(fields)) = (app, line.as_object_mut()) {
                    fields.insert("app".to_owned(), app.into());
                }
                format!("{line}\n")
            }
            LogFormat::Text => {
                let (start, end) = self.colour(app.unwrap_or_default());
                format!("{start}== {} =={end} ({lines} {message})\n", app.unwrap_or("daprlet"))
            }
        }
    }

    /// Returns the escape sequences that begin and end the colour of `app`.
    fn colour(&self, app: &str) -> (String, &'static str) {
        let index = self.apps.iter().position(|other| other == app).unwrap_or(0);
        match COLOURS.get(index % COLOURS.len()) {
            Some(colour) if self.is_terminal => (format!("\x1b[{colour}m"), "\x1b[0m"),
            _ => (String::new(), ""),
        }
    }
}

/// Returns the name of an application's log file, with the start time to the second. Same as in the Dapr CLI.
pub(super) fn file_name(app: &str) -> String {
    let second: String = timestamp().chars().filter(char::is_ascii_digit).take("yyyymmddhhmmss".len()).collect();
    format!("{app}_app_{second}.log")
}

/// Formats the current time as `tracing` does: RFC 3339 in UTC.
fn timestamp() -> String {
    let mut text = String::new();
    if SystemTime.format_time(&mut Writer::new(&mut text)).is_err() {
        // Reached only if the formatter fails.
        let _ = text.write_str("unknown");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(format: LogFormat, is_terminal: bool) -> AppLineFormat {
        AppLineFormat::new(format, is_terminal, vec!["a".to_owned(), "b".to_owned()])
    }

    #[test]
    fn text_line_has_app_id_and_its_colour() {
        assert_eq!(format(LogFormat::Text, false).line("b", OutputStream::Stdout, "hello"), "== b == hello\n");
        let on_terminal = format(LogFormat::Text, true);
        assert_eq!(on_terminal.line("b", OutputStream::Stdout, "hello"), "\x1b[35m== b ==\x1b[0m hello\n");
        assert_eq!(on_terminal.line("a", OutputStream::Stdout, "hello"), "\x1b[36m== a ==\x1b[0m hello\n");
    }

    #[test]
    fn json_line_has_time_level_and_app() {
        let line = format(LogFormat::Json, true).line("b", OutputStream::Stderr, "a\u{1b}[2Jb");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
        assert_eq!((line["level"].as_str(), line["stream"].as_str()), (Some("INFO"), Some("stderr")));
        assert_eq!((line["app"].as_str(), line["message"].as_str()), (Some("b"), Some("a\u{1b}[2Jb")));
    }

    #[test]
    fn dropped_lines_are_reported_with_their_app() {
        let message = "log lines dropped: they were not read or could not be written";
        assert_eq!(format(LogFormat::Text, false).dropped(Some("a"), 7), format!("== a == (7 {message})\n"));
        let line = format(LogFormat::Json, false).dropped(None, 7);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((line["lines"].as_u64(), line["level"].as_str(), line.get("app")), (Some(7), Some("WARN"), None));
    }
}
