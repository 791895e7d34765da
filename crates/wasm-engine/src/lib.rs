//! What every WebAssembly engine of this project has, whatever it runs: compiled code kept on disk ([`CompiledCache`]), a
//! clock that makes guests yield ([`Clock`]), processor time in fair shares ([`Account`]), what guests print, as lines
//! ([`LineBuffer`]), and what a file claims to be ([`kind`]).

mod cache;
mod clock;
mod easier;
mod kind;
mod memory;
mod output;
mod refusals;
mod scheduler;

pub use cache::{Compiled, CompiledCache};
pub use clock::Clock;
pub use kind::{Kind, kind};
pub use memory::{InstanceMemory, MemoryAccount, Reservation};
pub use output::{LineBuffer, Output, OutputStream};
pub use refusals::Refusals;
pub use scheduler::{Account, Scheduled, Weight, task_time};
