//! Log output of daprlet and its applications, on standard output.
//!
//! All lines go through one [`Output`], and only its thread writes. A line that cannot be written is dropped and
//! counted: logging never blocks, delays or ends anything, whatever the reader does.

mod app_line;
mod budget;
mod escape;
mod level;
mod output;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use daprlet_host::AppLog;
use guest_wasmedge::OutputStream;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::app_line::AppLineFormat;
use self::budget::{Budget, Verdict};
pub(crate) use self::level::parse_filter;
use self::output::Output;
use crate::cli::LogFormat;

/// Destination of log lines.
#[derive(Clone)]
pub(crate) struct Log {
    output: Arc<Output>,
    format: Arc<AppLineFormat>,
    /// Applications with a log file of their own.
    apps: Arc<BTreeMap<String, AppOutput>>,
    budgets: Arc<BTreeMap<String, Budget>>,
}

/// Destination of one application's lines.
pub(crate) struct AppLogTarget {
    pub(crate) app: String,
    /// Directory of the application's own log file, if it has one.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) is_on_console: bool,
    /// Limit on the application's output, in bytes per second.
    pub(crate) budget: usize,
}

/// Log file of an application.
struct AppOutput {
    file: Output,
    is_on_console: bool,
}

impl Log {
    /// Starts the log on standard output; the order of `apps` determines their colours.
    ///
    /// # Errors
    /// When a log file cannot be created.
    pub(crate) fn start(format: LogFormat, filter: EnvFilter, apps: Vec<AppLogTarget>) -> anyhow::Result<Self> {
        let is_terminal = io::stdout().is_terminal();
        let ids = apps.iter().map(|app| app.app.clone()).collect();
        let format = Arc::new(AppLineFormat::new(format, is_terminal, ids));
        let output = {
            let format = format.clone();
            Output::start(standard_output()?, move |app, lines| format.dropped(app, lines))?
        };
        let (mut files, mut budgets) = (BTreeMap::new(), BTreeMap::new());
        for target in apps {
            budgets.insert(target.app.clone(), Budget::new(target.budget, Instant::now()));
            if let Some(directory) = target.directory {
                let path = directory.join(app_line::file_name(&target.app));
                let file = app_file(&directory, &path).with_context(|| format!("the log file {}", path.display()))?;
                files.insert(target.app, AppOutput { file, is_on_console: target.is_on_console });
            }
        }
        let log = Self { output: Arc::new(output), format, apps: Arc::new(files), budgets: Arc::new(budgets) };
        log.install(filter, is_terminal);
        Ok(log)
    }

    /// Installs this log as the subscriber of `tracing`.
    fn install(&self, filter: EnvFilter, is_terminal: bool) {
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(OwnLines(self.output.clone()));
        match self.format.log_format() {
            LogFormat::Json => builder.json().flatten_event(true).init(),
            LogFormat::Text => builder.with_ansi(is_terminal).with_target(false).compact().init(),
        }
    }

    /// Writes `text` unchanged, in the text format only.
    pub(crate) fn print(&self, text: &str) {
        self.output.push(None, text.as_bytes());
    }

    /// Waits until everything is written, up to a timeout.
    pub(crate) fn flush(&self) {
        for (app, budget) in &*self.budgets {
            self.log_dropped(app, budget, budget.take_dropped());
        }
        self.output.flush();
        self.apps.values().for_each(|app| app.file.flush());
    }
}

impl Log {
    /// Logs the number of dropped lines of `app`, if there are any.
    fn log_dropped(&self, app: &str, budget: &Budget, lines: u64) {
        if lines > 0 {
            let text = self.format.over_budget(app, lines, budget.kib());
            self.output.push(None, text.as_bytes());
        }
    }
}

/// Opens a log file in the format of the Dapr CLI: unchanged lines.
fn app_file(directory: &Path, path: &Path) -> io::Result<Output> {
    std::fs::create_dir_all(directory)?;
    let file = File::options().create(true).append(true).open(path)?;
    Output::start(file, |_, lines| format!("({lines} lines were not written)\n"))
}

impl AppLog for Log {
    fn line(&self, app: &str, stream: OutputStream, line: &str) {
        if let Some(budget) = self.budgets.get(app) {
            match budget.decide(line.len(), Instant::now()) {
                Verdict::Log { dropped } => self.log_dropped(app, budget, dropped),
                Verdict::Drop => return,
            }
        }
        if let Some(own) = self.apps.get(app) {
            own.file.push(None, format!("{line}\n").as_bytes());
            if !own.is_on_console {
                return;
            }
        }
        self.output.push(Some(app), self.format.line(app, stream, line).as_bytes());
    }
}

/// Returns standard output without the buffer and lock of `std::io::Stdout`, which a blocked writer would hold.
#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// Writer for daprlet's own lines; `tracing` writes each with one call.
struct OwnLines(Arc<Output>);

impl<'a> MakeWriter<'a> for OwnLines {
    type Writer = &'a Output;

    fn make_writer(&'a self) -> Self::Writer {
        &self.0
    }
}

impl io::Write for &Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(None, line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
