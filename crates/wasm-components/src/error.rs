//! Why a component does not load, open, or answer.

use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;

/// Why a file does not become a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the module {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not the one that was meant.
    #[error("the module has the SHA-256 {found}, but {expected} is wanted")]
    Digest {
        /// What the configuration says.
        expected: Digest,
        /// What the file has.
        found: Digest,
    },
    /// The file is something else.
    #[error("this is no WebAssembly: it does not begin with the bytes 00 61 73 6d")]
    NotWasm,
    /// The file is WebAssembly, but no component.
    #[error("this is a core module and no component; build it for wasm32-wasip2, or make a component of it")]
    CoreModule,
    /// The component is damaged, or uses what wasmtime does not support.
    #[error("the component cannot be compiled: {0:#}")]
    Compile(wasmtime::Error),
    /// wasmtime does not work here.
    #[error("the WebAssembly engine cannot be set up on this machine: {0:#}")]
    Engine(wasmtime::Error),
    /// The thread that makes components yield could not be started.
    #[error("no thread for the components' clock")]
    Clock(#[source] std::io::Error),
}

/// Why a component that has been loaded cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The component is not of the world that is asked for.
    #[error("the component exports no {missing}, which the world dapr:components/{world} asks for")]
    MissingExport {
        /// The world.
        world: &'static str,
        /// What is missing: an interface, or a function of it.
        missing: String,
    },
    /// The component was built against another version of the contract.
    #[error("the component exports {found}, but this host speaks {wanted}")]
    WrongVersion {
        /// What the component exports.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// The component wants what nothing grants.
    #[error("the component imports {}, which nothing grants{hint}", imports.join(", "))]
    RefusedImports {
        /// What it wants.
        imports: Vec<String>,
        /// What would grant it, if anything would.
        hint: &'static str,
    },
    /// The component imports or exports functions of other types than the contract has.
    #[error("the component does not fit the contract: {0:#}")]
    Mismatch(wasmtime::Error),
    /// A granted folder cannot be shared.
    #[error("the folder {} cannot be shared with the component: {source:#}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: wasmtime::Error,
    },
    /// The component cannot be instantiated: it wants more memory than it may have, for example.
    #[error("the component cannot be started: {0:#}")]
    Start(wasmtime::Error),
    /// The component says that its properties are wrong.
    #[error("the component refuses its properties: {0}")]
    Misconfigured(String),
    /// The component says that what it needs is not there now.
    #[error("the component is not available now: {0}")]
    Unavailable(String),
    /// The component did not get through its `init`.
    #[error("the component's init failed: {0}")]
    Init(#[source] CallError),
}

impl OpenError {
    /// Whether trying again later may succeed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Init(CallError::TimedOut { .. }))
    }
}

/// Why a call of a component has no answer. The instance that failed has been replaced, or will be with the next call.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The component trapped; the log has the backtrace.
    #[error("the component trapped during {operation}: {reason}")]
    Trapped {
        /// What was asked of it.
        operation: &'static str,
        /// The trap.
        reason: String,
    },
    /// The component took longer than it may.
    #[error("the component did not answer {operation} within {limit:?}")]
    TimedOut {
        /// What was asked of it.
        operation: &'static str,
        /// How long it may take.
        limit: Duration,
    },
    /// The component answered what the contract does not allow.
    #[error("the component's answer to {operation} breaks the contract: {why}")]
    Answer {
        /// What was asked of it.
        operation: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The argument is more than may be handed over at once.
    #[error("the request has {bytes} bytes, but this component takes {most} at once")]
    TooLarge {
        /// What was to be handed over.
        bytes: usize,
        /// What may be.
        most: usize,
    },
    /// No instance was free.
    #[error("the component was busy with other calls for {limit:?}, so that {operation} did not begin")]
    Busy {
        /// What was asked of it.
        operation: &'static str,
        /// How long the call waited.
        limit: Duration,
    },
    /// No new instance could take the place of one that failed.
    #[error("the component cannot be started again: {0}")]
    Restart(String),
}

/// Why a module does not take the place of another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// It cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It declares other features, which nobody expects of a store that is in use.
    #[error("it declares other features than the one before; start again to use it")]
    Features,
}
