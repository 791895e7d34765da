//! JSON as Go's `encoding/json` reads and writes it.
//!
//! `daprd` decodes a state value into Go's `any` and encodes it again, and keeps the result. Stores that several sidecars
//! share must hold the same bytes, so the same is done here; and what Go says about mistakes is what Dapr's callers read.

mod decode;
mod encode;

pub use decode::{JsonError, decode, kind, mismatch, unmarshal};
pub use encode::{compact, write};
