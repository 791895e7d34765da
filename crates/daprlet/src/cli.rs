//! Command line. Flags and aliases match those of the Dapr CLI's `dapr run` where it has them.

pub(crate) mod generated;
mod health_check;
mod without_effect;

use std::net::IpAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use dapr_runtime::AllowRule;
use tracing_subscriber::EnvFilter;

pub(crate) use health_check::HealthCheck;
pub(crate) use without_effect::WithoutEffect;

use crate::exit::{self, UsageError};
use crate::log;

/// Runs WebAssembly services, and the Dapr building blocks that they use, in one process.
#[derive(Debug, Parser)]
#[command(
    name = "daprlet",
    version,
    // Narrower terminals break lines themselves; examples are not wrapped.
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
    /// Runs applications with Dapr, as `dapr run` does, in this one process.
    Run(Box<Run>),
    /// Composes a Wasm component and the providers of its imports into one component.
    #[cfg(feature = "compose")]
    Compose(crate::compose::Compose),
    /// Rewrites a module or component so that its compiled code is faster.
    #[cfg(feature = "optimize")]
    Optimize(crate::optimize::Optimize),
    /// Commands for a single building-block component.
    #[cfg(feature = "pluggable")]
    #[command(subcommand)]
    Component(crate::component::Component),
    /// Prints the version and the component types of this build.
    Version,
    /// Prints a script that completes commands and flags in a shell.
    Completions {
        /// Shell to complete for.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page of daprlet, or of one command.
    Man {
        /// Command to describe, such as `run`.
        command: Option<String>,
    },
    /// Ends process groups when standard input ends; daprlet starts it itself.
    #[command(hide = true)]
    ProcessGuard,
}

impl Cli {
    /// Parses the process's arguments.
    ///
    /// Prints errors and help; the exit code of an error is that of a usage error.
    pub(crate) fn parse_arguments() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            // A closed stream leaves no way to report the error.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS }
        })
    }
}

/// Formats the error for an option that `daprlet run` lacks, with a suggestion.
pub(crate) fn unknown_option(option: &str) -> String {
    let name = option.trim_start_matches('-').split('=').next().unwrap_or_default();
    let command = Cli::command();
    let run = command.find_subcommand("run").into_iter().flat_map(clap::Command::get_arguments);
    let known = run.flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default());
    let likeness = |known: &str| strsim::jaro_winkler(name, known);
    let nearest = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let suggestion = match nearest {
        Some(nearest) if likeness(nearest) > 0.8 => format!("did you mean --{nearest}?"),
        _ => "`daprlet run --help` lists the options".to_owned(),
    };
    format!("unknown option {option}; {suggestion}")
}

/// Arguments of `daprlet run`: a run template, or one application with flags and a command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  daprlet run -f dapr.yaml
  daprlet run --app-id a --app-port 9005 --resources-path config -- service.wasm
  daprlet run --app-id b --app-port 8080 -- python3 app.py

A command `wasmedge [OPTIONS] FILE.wasm [ARGUMENTS]`, or just `FILE.wasm`, runs the module in this process, with
options of wasmedge that shape what the module sees (--dir, --env, --memory-page-limit). Any other command runs as a native
process with Dapr's environment variables; the run ends with it, and has its exit code. Flags of `dapr run` that shape daprd,
such as --dapr-grpc-port, are taken and have no effect.")]
pub(crate) struct Run {
    /// A run template (dapr.yaml), a directory that contains one, or - for standard input.
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "app_id")]
    pub(crate) run_file: Option<PathBuf>,

    /// The application's id, by which other applications invoke it.
    #[arg(short = 'a', long, value_name = "ID")]
    pub(crate) app_id: Option<String>,

    /// The port that the application listens on.
    #[arg(short = 'p', long, value_name = "PORT")]
    pub(crate) app_port: Option<u16>,

    /// The port of the application's Dapr HTTP API. Default: a free port.
    #[arg(short = 'H', long, value_name = "PORT")]
    pub(crate) dapr_http_port: Option<u16>,

    /// A directory of Component YAML; may be given several times. `--components-path` is the older name.
    #[arg(short = 'd', long, visible_alias = "components-path", value_name = "DIRECTORY")]
    pub(crate) resources_path: Vec<PathBuf>,

    /// A Configuration YAML file; may be given several times; later files override earlier ones.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,

    /// Treats unknown YAML fields and fields without effect as errors, not warnings.
    #[arg(long)]
    pub(crate) strict: bool,

    /// The largest request body that the Dapr API accepts, such as 4Mi.
    #[arg(long, value_name = "SIZE", visible_alias = "dapr-http-max-request-size")]
    pub(crate) max_body_size: Option<String>,

    /// The limit on the size of a Dapr API request's headers, such as 4Ki (plus 4 KiB, as in Go).
    #[arg(long, value_name = "SIZE", visible_alias = "dapr-http-read-buffer-size")]
    pub(crate) read_buffer_size: Option<String>,

    /// The origins whose pages may use the Dapr API from a browser, separated by commas; `*` matches all, or a part of
    /// one.
    #[arg(long, value_name = "ORIGINS", default_value = "", hide_default_value = true)]
    pub(crate) allowed_origins: String,

    /// Logs every Dapr API call.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) enable_api_logging: Option<bool>,

    /// An additional port for health and metadata, for probes without an API token.
    #[arg(long, value_name = "PORT", conflicts_with = "run_file")]
    pub(crate) dapr_public_port: Option<u16>,

    /// The limit on concurrent requests to the application; 0 means no limit.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) app_max_concurrency: u32,

    #[command(flatten)]
    pub(crate) health_check: HealthCheck,

    /// The address to listen on, for applications, the Dapr API and the page.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", visible_alias = "dapr-listen-addresses")]
    pub(crate) listen_address: IpAddr,

    /// An external address that guests may connect to (HOST:PORT, HOST:* or *); may be given several times. Addresses
    /// in an application's secrets are already allowed.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_outbound: Vec<AllowRule>,

    /// The limit on instances of a module behind its port; more than one are started on demand. Default: one per core.
    /// Use 1 for modules that keep state in memory; a run template sets it for one application with `env:
    /// {DAPRLET_INSTANCES: 1}`.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) instances: Option<NonZeroUsize>,

    /// The memory limit of a guest, in MiB: all linear memories and tables of one instance. A run template sets this
    /// limit, and each of those below, for one application: `env: {DAPRLET_GUEST_MEMORY: 256}`.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub(crate) guest_memory: u64,

    /// The memory limit of all instances of an application, in MiB (`DAPRLET_APP_MEMORY`).
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    pub(crate) app_memory: u64,

    /// The limit on request bodies that an application's Dapr API buffers at once while it receives them, in MiB
    /// (`DAPRLET_APP_BODIES`). Further requests get 503.
    #[arg(long, value_name = "MIB", default_value_t = 128)]
    pub(crate) app_bodies: u64,

    /// The number of connections (for components: requests) that may wait for an instance (`DAPRLET_GUEST_QUEUE`). When
    /// all instances are busy and the queue is full, further ones get 503 and Retry-After.
    #[arg(long, value_name = "NUMBER", default_value_t = 128)]
    pub(crate) guest_queue: u64,

    /// The longest time that a queued connection or request waits before it gets 503 and Retry-After, in seconds
    /// (`DAPRLET_GUEST_QUEUE_TIMEOUT`).
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) guest_queue_timeout: u64,

    /// The processor time that a guest may use, in seconds, before it is considered hung and restarted
    /// (`DAPRLET_GUEST_CPU`). For a component: per request. For a module: while it neither sends nor receives data, nor
    /// waits as long as it computes.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) guest_cpu: u64,

    /// The directory in which daprlet processes of one machine find each other's applications, or none. Default:
    /// `daprlet` in the user's runtime directory.
    #[arg(long, value_name = "DIRECTORY", env = "DAPRLET_REGISTRY", hide_env_values = true)]
    pub(crate) registry: Option<PathBuf>,

    /// The limit on open files and sockets of an application's guests, all instances together. Default: 4096, or an
    /// equal share of the process's limit.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) guest_descriptors: Option<NonZeroUsize>,

    /// The longest time until the response of a component, or of an invoked application, begins, in seconds of wall
    /// time (`DAPRLET_REQUEST_TIMEOUT`); after that the caller gets 504. Default: no limit.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) request_timeout: Option<NonZeroU64>,

    /// The relative share of the processors that an application's guests get when they are contended: 1 to 10000. A run
    /// template sets it for one application with `env: {DAPRLET_GUEST_WEIGHT: 200}`.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10000))]
    pub(crate) guest_weight: u32,

    /// The limit on an application's log output, in KiB per second (`DAPRLET_LOG_BUDGET`). Lines beyond it are dropped
    /// and counted.
    #[arg(long, value_name = "KIB", default_value_t = 1024)]
    pub(crate) log_budget: u64,

    /// A directory with a static page to serve.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) page: Option<PathBuf>,

    /// The port of the page.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) page_port: u16,

    /// The time that requests in progress may take to finish when daprlet is asked to stop, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) dapr_graceful_shutdown_seconds: u64,

    #[command(flatten)]
    pub(crate) process: Process,

    #[command(flatten)]
    pub(crate) without_effect: WithoutEffect,

    /// The application's command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Arguments of every command that runs until it is stopped.
#[derive(Debug, Args)]
pub(crate) struct Process {
    /// The format of log lines, which all go to standard output. `--log-as-json` is Dapr's name for `json`.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    #[arg(long, hide = true)]
    log_as_json: bool,

    /// The minimum level of daprlet's own log messages: trace, debug, info, warning, error or off; also TARGET=LEVEL,
    /// separated by commas. [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,

    /// The directory for compiled modules. Default: `daprlet` in the user's cache directory.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) cache: Option<PathBuf>,
}

impl Process {
    pub(crate) fn log_format(&self) -> LogFormat {
        if self.log_as_json { LogFormat::Json } else { self.log_format }
    }

    /// Parses the filter of `--log-level`, or else `fallback`.
    pub(crate) fn log_filter(&self, fallback: &str) -> Result<EnvFilter, UsageError> {
        let level = self.log_level.as_deref().unwrap_or(fallback);
        log::parse_filter(level).map_err(|error| UsageError(format!("--log-level: {error}")))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Human-readable lines, coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}
