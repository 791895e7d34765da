//! What every WebAssembly engine of this project has, whatever it runs: compiled code kept on disk ([`CompiledCache`]), and
//! a clock that makes guests yield ([`start_clock`]).

mod cache;
mod clock;

pub use cache::{Compiled, CompiledCache};
pub use clock::start_clock;
