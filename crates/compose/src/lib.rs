//! Composition of a consumer and the providers of its imports into one component.
//!
//! Any component runtime can run the result.
//!
//! Imports that are provided inside are no longer imports of the result; all others remain. The instances inside share
//! nothing but the values passed through their interfaces.

mod compose;
mod describe;
mod error;
mod part;

pub use compose::fuse;
pub use describe::{Description, describe};
pub use error::FuseError;
pub use part::Part;
