//! The command line. Flags and aliases are those of the Dapr CLI's `dapr run` where it has them.

mod without_effect;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use app_runtime::AllowRule;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use without_effect::WithoutEffect;

/// One process for WebAssembly services and the Dapr building blocks they use.
#[derive(Debug, Parser)]
#[command(
    name = "daprlet",
    version,
    long_version = crate::version::long(),
    after_help = "Documentation: README.md. Mistakes in files or flags end with exit code 64 (EX_USAGE), everything else that fails with 1."
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
}

/// Either a run template, or one application with flags and a command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  daprlet run -f dapr.yaml
  daprlet run --app-id a --app-port 9005 --dapr-http-port 3503 --resources-path config wasmedge service.wasm
  daprlet run --app-id b --app-port 8080 -- python3 app.py

A command `wasmedge [OPTIONS] FILE.wasm [ARGUMENTS]` runs the module inside this process, with the options of wasmedge
that shape what the module sees (--dir, --env, --memory-page-limit). Any other command runs as a native process with
Dapr's environment variables. Flags of `dapr run` that shape daprd, such as --dapr-grpc-port, are taken and have no effect.")]
pub(crate) struct Run {
    /// A run template (dapr.yaml), or a folder that has one.
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

    /// A file of Configuration YAML.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The largest request body that the Dapr API takes, such as 4Mi.
    #[arg(long, value_name = "SIZE", visible_alias = "dapr-http-max-request-size")]
    pub(crate) max_body_size: Option<String>,

    /// How large the headers of a request to the Dapr API may be, such as 4Ki (and 4 KiB beyond, as in Go).
    #[arg(long, value_name = "SIZE", visible_alias = "dapr-http-read-buffer-size")]
    pub(crate) read_buffer_size: Option<String>,

    /// Whose pages may use the Dapr API from a browser: origins with commas in between, `*` for all, or for a part of one.
    #[arg(long, value_name = "ORIGINS", default_value = "", hide_default_value = true)]
    pub(crate) allowed_origins: String,

    /// The most requests that the application gets at once; 0 means no limit.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) app_max_concurrency: u32,

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

    /// The most linear memory of a guest, in MiB: of each instance.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub(crate) guest_memory: usize,

    /// How long a guest may compute without waiting for anything before it is taken for hung and started again, in
    /// seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) guest_cpu: u64,

    /// A folder with a static page, which is served too.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) page: Option<PathBuf>,

    /// The port of the page.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) page_port: u16,

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
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,

    /// Which of daprlet's own messages are shown; RUST_LOG's syntax.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log_level: String,

    /// Where compiled modules are kept. Default: `daprlet` in the user's cache folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people, coloured on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}
