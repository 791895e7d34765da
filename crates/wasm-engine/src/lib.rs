//! What every WebAssembly engine of this project has, whatever it runs: compiled code kept on disk ([`CompiledCache`]), a
//! clock that makes guests yield ([`Clock`]), what guests print, as lines ([`LineBuffer`]), and what a file claims to
//! be ([`kind`]).

mod cache;
mod clock;
mod easier;
mod kind;
mod output;

pub use cache::{Compiled, CompiledCache};
pub use clock::Clock;
pub use kind::{Kind, kind};
pub use output::{LineBuffer, Output, OutputStream};
