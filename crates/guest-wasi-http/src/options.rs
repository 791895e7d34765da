//! Options and limits of a service.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use guest_engine::{Account, MAX_RANDOM_BYTES, Output};
use inference::Graphs;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::outbound::Outbound;
use crate::output::GuestOutput;

/// Directory of the host that a service may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preopen {
    /// Path on the host.
    pub host: PathBuf,
    /// Path that the guest sees.
    pub guest: String,
    /// True if the guest may only read.
    pub read_only: bool,
}

/// Resource limits of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// Processor time for one request, after which the instance is considered to loop forever.
    pub busy: Duration,
    /// Limit on concurrent requests, each with an instance of its own; further ones wait.
    ///
    /// Default: 64 single-use instances, or four reused ones per core.
    pub instances: Option<usize>,
    /// Linear memory and tables of all instances, in bytes.
    pub app_memory: usize,
    /// Limit on requests that wait for an instance.
    pub queue: usize,
    /// Longest time that a request waits for an instance.
    pub queue_timeout: Duration,
    /// Longest time until a response begins; `None` for no limit.
    pub request_timeout: Option<Duration>,
}

impl Default for Limits {
    /// Returns 1 GiB of memory and 60 s per request. For all instances 4 GiB, and a queue of 128 requests for 30 s
    /// each.
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            busy: Duration::from_secs(60),
            instances: None,
            app_memory: 4 << 30,
            queue: 128,
            queue_timeout: Duration::from_secs(30),
            request_timeout: None,
        }
    }
}

/// Options of a service.
pub struct Options {
    /// Arguments, beginning with the program's own name.
    pub arguments: Vec<String>,
    /// Environment variables, also visible through `wasi:config`; the host's own are not added.
    pub environment: Vec<(String, String)>,
    /// Directories that the service may use.
    pub preopens: Vec<Preopen>,
    /// Resource limits.
    pub limits: Limits,
    /// Number of requests that an instance handles; by default the component decides, or else one.
    pub requests: Option<u32>,
    /// Graphs that the service may use through `wasi:nn`.
    pub graphs: Arc<Graphs>,
    /// Client for the service's outgoing requests.
    pub outbound: Arc<dyn Outbound>,
    /// Destination of its output lines.
    pub output: Arc<dyn Output>,
    /// Account that its processor time is charged to.
    pub account: Arc<Account>,
}

impl Options {
    /// Creates the WASI context of an instance.
    pub(crate) fn wasi(&self) -> WasiCtx {
        let mut wasi = WasiCtxBuilder::new();
        wasi.max_random_size(MAX_RANDOM_BYTES);
        let (stdout, stderr) = GuestOutput::pair(&self.output);
        wasi.args(&self.arguments).envs(&self.environment).stdout(stdout).stderr(stderr);
        for Preopen { host, guest, read_only } in &self.preopens {
            let permissions = if *read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            if let Err(error) = wasi.preopened_dir(host, guest, permissions) {
                tracing::warn!("cannot share directory {} with the guest as {guest}: {error}", host.display());
            }
        }
        wasi.build()
    }
}
