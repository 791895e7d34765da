//! Common parts of this project's WebAssembly engines.
//!
//! Compiled code cached on disk ([`CompiledCache`]), an epoch clock that makes guests yield ([`Clock`]), processor time
//! in fair shares ([`Account`]), output split into lines ([`LineBuffer`]), and detection of file types ([`kind`]).

mod cache;
mod clock;
mod kind;
mod memory;
mod output;
mod rejection_log;
mod scheduler;

pub use cache::{Compiled, CompiledCache};
pub use clock::Clock;
pub use kind::{Kind, kind};
pub use memory::{InstanceMemory, MemoryAccount, Reservation};
pub use output::{LineBuffer, Output, OutputStream};
pub use rejection_log::RejectionLog;
pub use scheduler::{Account, Scheduled, Weight, task_time};

/// Maximum random bytes of one call of a component, which a call computes without a pause.
pub const MAX_RANDOM_BYTES: u64 = 1 << 20;
