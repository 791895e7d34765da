//! Log lines: daprlet's own and those of the applications, for people or for machines.

mod lines;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use app_runtime::AppLog;
use tracing_subscriber::EnvFilter;
use wasmedge_guest::OutputStream;

use self::lines::Lines;
use crate::cli::LogFormat;

/// Colours that are readable on dark and light terminals; applications take turns.
const COLOURS: [&str; 6] = ["36", "35", "33", "32", "34", "31"];

/// Starts daprlet's own log, on standard error.
pub(crate) fn init(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Text => {
            builder.with_ansi(io::stderr().is_terminal()).with_target(false).compact().init();
        }
    }
    Ok(())
}

/// The lines of applications, on standard output.
pub(crate) struct AppLines {
    format: LogFormat,
    coloured: bool,
    out: Lines,
    /// The colour of each application, in the order in which they first spoke.
    seen: Mutex<BTreeMap<String, usize>>,
}

impl AppLines {
    pub(crate) fn new(format: LogFormat) -> io::Result<Self> {
        let out = Lines::to(io::stdout())?;
        Ok(Self { format, coloured: io::stdout().is_terminal(), out, seen: Mutex::default() })
    }

    fn text(&self, app: &str, line: &str) -> String {
        if !self.coloured {
            return format!("== {app} == {line}\n");
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let next = seen.len();
        let index = *seen.entry(app.to_owned()).or_insert(next);
        let colour = COLOURS.get(index % COLOURS.len()).copied().unwrap_or("0");
        format!("\x1b[{colour}m== {app} ==\x1b[0m {line}\n")
    }
}

impl AppLog for AppLines {
    fn line(&self, app: &str, stream: OutputStream, line: &str) {
        let text = match self.format {
            LogFormat::Text => self.text(app, line),
            LogFormat::Json => {
                let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
                let stream = if stream == OutputStream::Stdout { "stdout" } else { "stderr" };
                let line = serde_json::json!({
                    "timestamp_ms": u64::try_from(millis).unwrap_or(u64::MAX),
                    "app": app,
                    "stream": stream,
                    "message": line,
                });
                format!("{line}\n")
            }
        };
        self.out.push(&text);
    }
}
