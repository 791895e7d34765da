//! Rewrites WebAssembly into code that Cranelift compiles to faster programs.
//!
//! [`optimize`] takes a core module, or a component with modules inside, and returns the same with
//!
//! - **small loops unrolled**: a host that interrupts guests by epochs (`Config::epoch_interruption` of wasmtime) checks
//!   the deadline at the head of each loop, which is much in a loop of a few instructions;
//! - **broadcasting loads split**: `v128.load32_splat` becomes one vector load and shuffles where four of them are
//!   adjacent, as in matrix products, and `f32.load` with `f32x4.splat` elsewhere.
//!
//! The result is the same on every machine, and runs in every runtime that ran the original.
//!
//! # Differences at run time
//!
//! Results, memory and globals are the same to the bit. The following can differ:
//!
//! - In a memory of the full 4 GiB, adjacent loads that wrap around its end trap when they are merged. Before, they read
//!   numbers at both ends.
//! - A merged load needs a local of 16 bytes, so that a recursion overflows the stack a little earlier.
//! - A host that meters fuel counts other numbers.
//! - Backtraces have the same functions, at other offsets.
//!
//! # Left unchanged
//!
//! Some modules and components are returned as they are, with the reason ([`Unchanged`]): those with offsets into their
//! own code (debug information, source maps, branch hints, relocations), those with exceptions, typed function
//! references, garbage collection or stack switching, which have branches that are not followed here, and results of
//! this crate, which a custom section marks.

mod loops;
mod rewriter;
mod splats;

use std::borrow::Cow;
use std::fmt;

use wasmparser::{Parser, Validator, WasmFeatures};

/// Optimizes a core module or a component in the binary format.
///
/// # Errors
/// When `wasm` is not valid.
pub fn optimize(wasm: &[u8]) -> Result<Optimized<'_>, InvalidWasm> {
    if !Parser::is_core_wasm(wasm) && !Parser::is_component(wasm) {
        return Err(InvalidWasm { why: "neither a core module nor a component in the binary format".to_owned() });
    }
    // With all features, so that code which cannot be rewritten is no error.
    let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm);
    valid.map_err(|error| InvalidWasm { why: error.to_string() })?;
    Ok(match rewriter::rewrite(wasm) {
        Ok((rewritten, counts)) => Optimized { wasm: rewritten.into(), outcome: Outcome::Rewritten(counts) },
        Err(reason) => Optimized { wasm: wasm.into(), outcome: Outcome::Unchanged(reason) },
    })
}

/// Result of [`optimize`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optimized<'a> {
    /// The module or component in the binary format; borrowed where it is the original.
    pub wasm: Cow<'a, [u8]>,
    /// The changes, or the reason why there are none.
    pub outcome: Outcome,
}

/// Changes that [`optimize`] made. Its text is a short summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Code was rewritten.
    Rewritten(Counts),
    /// The result is the original, byte for byte.
    Unchanged(Unchanged),
}

/// Numbers of rewritten places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Unrolled loops.
    pub loops: usize,
    /// Split loads.
    pub loads: usize,
}

/// Reason why a module or component stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unchanged {
    /// It is a result of this crate, or contains one.
    AlreadyOptimized,
    /// It has neither small loops nor broadcasting loads.
    NothingToRewrite,
    /// A custom section has offsets into the code, which would become wrong.
    CodeOffsets {
        /// Name of the section, such as `.debug_line`.
        section: String,
    },
    /// It uses a feature with branches that are not followed, or that is too new.
    UnsupportedFeature {
        /// Message of the validator or encoder.
        why: String,
    },
    /// The rewritten code exceeds a limit of WebAssembly, such as the size of a function.
    LimitExceeded {
        /// Message of the validator.
        why: String,
    },
}

/// Error of input that is neither a valid core module nor a valid component.
#[derive(Debug, thiserror::Error)]
#[error("not valid WebAssembly: {why}")]
pub struct InvalidWasm {
    why: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rewritten(Counts { loops, loads }) => write!(f, "loops unrolled: {loops}, loads split: {loads}"),
            Self::Unchanged(reason) => write!(f, "unchanged: {reason}"),
        }
    }
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyOptimized => f.write_str("already optimized"),
            Self::NothingToRewrite => f.write_str("no small loops and no broadcasting loads"),
            Self::CodeOffsets { section } => write!(f, "section {section:?} has offsets into the code"),
            Self::UnsupportedFeature { why } => write!(f, "unsupported feature: {why}"),
            Self::LimitExceeded { why } => write!(f, "the rewritten code would exceed a limit: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
