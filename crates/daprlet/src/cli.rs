//! The command line. Flags and aliases are those of the Dapr CLI's `dapr run` where it has them.

mod health_check;
mod without_effect;

use std::net::IpAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;

use app_runtime::AllowRule;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

pub(crate) use health_check::HealthCheck;
pub(crate) use without_effect::WithoutEffect;

use crate::exit::{self, UsageError};
use crate::log;

/// One process for WebAssembly services and the Dapr building blocks they use.
#[derive(Debug, Parser)]
#[command(
    name = "daprlet",
    version,
    // A terminal that is narrower breaks lines itself, and examples stay whole.
    term_width = 100,
    long_version = crate::version::long(),
    after_help = exit::TABLE
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs applications with Dapr beside them, as `dapr run` does, in this one process.
    Run(Box<Run>),
    /// Makes one Wasm component of a consumer and what provides its imports.
    #[cfg(feature = "compose")]
    Compose(crate::compose::Compose),
    /// Components of building blocks by themselves.
    #[cfg(feature = "pluggable")]
    #[command(subcommand)]
    Component(crate::component::Component),
    /// Shows the version, and the component types of this build.
    Version,
    /// Ends process groups when standard input ends; daprlet starts it for itself.
    #[command(hide = true)]
    ProcessGuard,
}

impl Cli {
    /// Parses the process's arguments. An error is shown, and is a usage error; so is help, and is none.
    pub(crate) fn parse_arguments() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            // If the stream is closed there is nobody to tell.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS }
        })
    }
}

/// Says that `daprlet run` has no such option, and which one may be meant.
pub(crate) fn unknown_option(option: &str) -> String {
    let name = option.trim_start_matches('-').split('=').next().unwrap_or_default();
    let command = Cli::command();
    let run = command.find_subcommand("run").into_iter().flat_map(clap::Command::get_arguments);
    let known = run.flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default());
    let likeness = |known: &str| strsim::jaro_winkler(name, known);
    let nearest = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let suggestion = match nearest {
        Some(nearest) if likeness(nearest) > 0.8 => format!("did you mean --{nearest}?"),
        _ => "`daprlet run --help` shows those there are".to_owned(),
    };
    format!("unknown option {option}; {suggestion}")
}

/// Either a run template, or one application with flags and a command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  daprlet run -f dapr.yaml
  daprlet run --app-id a --app-port 9005 --resources-path config -- service.wasm
  daprlet run --app-id b --app-port 8080 -- python3 app.py

A command `wasmedge [OPTIONS] FILE.wasm [ARGUMENTS]`, or just `FILE.wasm`, runs the module inside this process, with the
options of wasmedge that shape what the module sees (--dir, --env, --memory-page-limit). Any other command runs as a native
process with Dapr's environment variables; the run ends with it, and has its exit code. Flags of `dapr run` that shape daprd,
such as --dapr-grpc-port, are taken and have no effect.")]
pub(crate) struct Run {
    /// A run template (dapr.yaml), a directory that has one, or - for standard input.
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "app_id")]
    pub(crate) run_file: Option<PathBuf>,

    /// The application's id, by which others invoke it.
    #[arg(short = 'a', long, value_name = "ID")]
    pub(crate) app_id: Option<String>,

    /// The port that the application listens on.
    #[arg(short = 'p', long, value_name = "PORT")]
    pub(crate) app_port: Option<u16>,

    /// The port of the application's Dapr HTTP API; a free one if it is not given.
    #[arg(short = 'H', long, value_name = "PORT")]
    pub(crate) dapr_http_port: Option<u16>,

    /// A folder of Component YAML; may be given several times. `--components-path` is the older name.
    #[arg(short = 'd', long, visible_alias = "components-path", value_name = "FOLDER")]
    pub(crate) resources_path: Vec<PathBuf>,

    /// A file of Configuration YAML; may be given several times, and later ones win.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,

    /// Takes fields of YAML that are unknown or have no effect for errors, and not for warnings.
    #[arg(long)]
    pub(crate) strict: bool,

    /// The largest request body that the Dapr API takes, such as 4Mi.
    #[arg(long, value_name = "SIZE", visible_alias = "dapr-http-max-request-size")]
    pub(crate) max_body_size: Option<String>,

    /// How large the headers of a request to the Dapr API may be, such as 4Ki (and 4 KiB beyond, as in Go).
    #[arg(long, value_name = "SIZE", visible_alias = "dapr-http-read-buffer-size")]
    pub(crate) read_buffer_size: Option<String>,

    /// Whose pages may use the Dapr API from a browser: origins with commas in between, `*` for all, or for a part of one.
    #[arg(long, value_name = "ORIGINS", default_value = "", hide_default_value = true)]
    pub(crate) allowed_origins: String,

    /// Logs every call of the Dapr API.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) enable_api_logging: Option<bool>,

    /// A port where health and metadata are served beside, for probes without an API token.
    #[arg(long, value_name = "PORT", conflicts_with = "run_file")]
    pub(crate) dapr_public_port: Option<u16>,

    /// The most requests that the application gets at once; 0 means no limit.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) app_max_concurrency: u32,

    #[command(flatten)]
    pub(crate) health_check: HealthCheck,

    /// The address that everything listens on: applications, the Dapr API, and the page.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", visible_alias = "dapr-listen-addresses")]
    pub(crate) listen_address: IpAddr,

    /// An address outside that guests may connect to (HOST:PORT, HOST:* or *); may be given several times. What an
    /// application's secrets name is allowed already.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_outbound: Vec<AllowRule>,

    /// The most instances of a module behind its port; more than one are started by need. Default: one a core. 1 is for
    /// modules that keep something in their memory; a run template says it for one application with
    /// `env: {DAPRLET_INSTANCES: 1}`.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) instances: Option<NonZeroUsize>,

    /// The most memory of a guest, in MiB: all linear memories and tables of one instance. A run template says this, and
    /// each of the limits below, for one application: `env: {DAPRLET_GUEST_MEMORY: 256}`.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub(crate) guest_memory: u64,

    /// The most memory of all instances of an application, in MiB (`DAPRLET_APP_MEMORY`).
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    pub(crate) app_memory: u64,

    /// The most request bodies that an application's Dapr API holds at once while they arrive, in MiB
    /// (`DAPRLET_APP_BODIES`). Beyond, requests are answered with 503.
    #[arg(long, value_name = "MIB", default_value_t = 128)]
    pub(crate) app_bodies: u64,

    /// The connections (of a component: the requests) that wait for an instance (`DAPRLET_GUEST_QUEUE`). Where all
    /// instances are busy and as many wait, more are answered with 503 and Retry-After.
    #[arg(long, value_name = "NUMBER", default_value_t = 128)]
    pub(crate) guest_queue: u64,

    /// The longest time that one of them waits before it is answered with 503 and Retry-After, in seconds
    /// (`DAPRLET_GUEST_QUEUE_TIMEOUT`).
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) guest_queue_timeout: u64,

    /// The processor time that a guest may use for one request (a component), or while it neither sends nor receives
    /// anything nor waits as long (a module), before it is taken for hung and started again, in seconds
    /// (`DAPRLET_GUEST_CPU`).
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) guest_cpu: u64,

    /// The directory where daprlet processes of one machine find each other's applications, or none. Default: `daprlet` in the
    /// user's runtime directory.
    #[arg(long, value_name = "DIRECTORY", env = "DAPRLET_REGISTRY", hide_env_values = true)]
    pub(crate) registry: Option<PathBuf>,

    /// The most files and sockets that the guests of one application have open, all its instances together. Default: 4096,
    /// or an equal share of what the system lets the process have.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) guest_descriptors: Option<NonZeroUsize>,

    /// The longest time until the response of a component, or of an application that is invoked, begins, in seconds of
    /// wall time (`DAPRLET_REQUEST_TIMEOUT`); then the caller gets 504. Default: no limit.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) request_timeout: Option<NonZeroU64>,

    /// The share of the processors that an application's guests get beside those of others, where all want more than
    /// there is: 1 to 10000. A run template says it for one application with `env: {DAPRLET_GUEST_WEIGHT: 200}`.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10000))]
    pub(crate) guest_weight: u32,

    /// The most that an application logs, in KiB a second (`DAPRLET_LOG_BUDGET`). Lines beyond are dropped and counted.
    #[arg(long, value_name = "KIB", default_value_t = 1024)]
    pub(crate) log_budget: u64,

    /// A folder with a static page, which is served too.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) page: Option<PathBuf>,

    /// The port of the page.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) page_port: u16,

    /// How long requests under way may take to finish when daprlet is asked to end, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) dapr_graceful_shutdown_seconds: u64,

    #[command(flatten)]
    pub(crate) process: Process,

    #[command(flatten)]
    pub(crate) without_effect: WithoutEffect,

    /// What runs as the application.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// What every command has that goes on until it is ended.
#[derive(Debug, Args)]
pub(crate) struct Process {
    /// The form of log lines, which all go to standard output. `--log-as-json` is Dapr's name for `json`.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    #[arg(long, hide = true)]
    log_as_json: bool,

    /// The least severe of daprlet's own messages that are shown: trace, debug, info, warning, error or off; also
    /// TARGET=LEVEL, several with commas. [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,

    /// Where compiled modules are kept. Default: `daprlet` in the user's cache folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache: Option<PathBuf>,
}

impl Process {
    pub(crate) fn log_format(&self) -> LogFormat {
        if self.log_as_json { LogFormat::Json } else { self.log_format }
    }

    /// The filter of `--log-level`, else of `fallback`.
    pub(crate) fn log_filter(&self, fallback: &str) -> Result<EnvFilter, UsageError> {
        let level = self.log_level.as_deref().unwrap_or(fallback);
        log::parse_filter(level).map_err(|error| UsageError(format!("--log-level: {error}")))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people, coloured on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}
