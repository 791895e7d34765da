//! JSON encoding and decoding compatible with Go's `encoding/json`.
//!
//! `daprd` decodes a state value into Go's `any`, encodes it again, and stores the result. Stores shared by several
//! sidecars must contain the same bytes, so this crate does the same. Its error texts are Go's, which Dapr's callers
//! see.

mod decode;
mod encode;

pub use decode::{JsonError, Precise, decode, decode_precise, kind, mismatch, unmarshal};
pub use encode::{compact, write};
