//! What a service is given, and how much it may use.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use inference::Graphs;
use wasm_engine::{Account, Output};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::outbound::Outbound;
use crate::output::Printed;

/// A folder of the host that a service may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is on the host.
    pub host: PathBuf,
    /// What the service calls it.
    pub guest: String,
    /// Whether the service may only read.
    pub read_only: bool,
}

/// How much a service may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// Time on the processor for one request, after which the instance is taken for one that loops for ever.
    pub busy: Duration,
    /// Requests at once, each with an instance of its own; more wait. Where it is not said, 64 fresh ones, or four a core of
    /// those that are used again.
    pub instances: Option<usize>,
    /// Linear memory and tables of all instances, in bytes.
    pub app_memory: usize,
    /// Requests that wait for an instance.
    pub queue: usize,
    /// The longest time that one of them waits.
    pub queue_timeout: Duration,
    /// The longest time until a response begins; without it there is no limit.
    pub request_timeout: Option<Duration>,
}

impl Default for Limits {
    /// 1 GiB, 60 s; for all instances 4 GiB, and 128 requests that wait, each for 30 s.
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

/// What a service is given.
pub struct Options {
    /// Its arguments, the program's own name first.
    pub arguments: Vec<String>,
    /// Its environment, and its settings for `wasi:config`; nothing of the host's is added.
    pub environment: Vec<(String, String)>,
    /// The folders it may use.
    pub folders: Vec<Folder>,
    /// What it may use up.
    pub limits: Limits,
    /// How many requests an instance answers; where it is not said, what the component itself says, or one.
    pub requests: Option<u32>,
    /// The networks that it may ask through `wasi:nn`.
    pub graphs: Arc<Graphs>,
    /// What sends its requests.
    pub outbound: Arc<dyn Outbound>,
    /// Where its lines go.
    pub output: Arc<dyn Output>,
    /// Whose processor time it uses.
    pub account: Arc<Account>,
}

impl Options {
    /// What an instance has of WASI.
    pub(crate) fn wasi(&self) -> WasiCtx {
        let mut wasi = WasiCtxBuilder::new();
        let (stdout, stderr) = Printed::both(&self.output);
        wasi.args(&self.arguments).envs(&self.environment).stdout(stdout).stderr(stderr);
        for Folder { host, guest, read_only } in &self.folders {
            let permissions = if *read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            if let Err(error) = wasi.preopened_dir(host, guest, permissions) {
                tracing::warn!("the folder {} cannot be shared with the guest as {guest}: {error}", host.display());
            }
        }
        wasi.build()
    }
}
