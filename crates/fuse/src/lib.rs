//! Fused components: one file made of a consumer and of what provides its imports, which any runtime of components can run.
//!
//! What is provided inside is no import of the result any more; everything else stays one. Instances inside share nothing
//! but what passes through their interfaces.

mod compose;
mod describe;
mod error;
mod part;

pub use compose::fuse;
pub use describe::{Description, describe};
pub use error::FuseError;
pub use part::Part;
