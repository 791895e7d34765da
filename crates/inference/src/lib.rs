//! Neural networks that guests may ask by name, computed by RTen on all cores: what stands behind `wasi-nn`.
//!
//! In `wasi-nn`'s words a network is a *graph*, and a *context* holds the tensors of one inference. A graph is a program whose
//! time and memory nobody can limit, so a guest may only ask those that the operator named on its command line ([`Graphs`]).
//! Each file is loaded once for the whole process ([`Library`]), and all guests share it; what a guest makes the host hold
//! is limited ([`limits`]).
//!
//! Two ABIs stand in front of this crate: that of preview 1, which WasmEdge's plug-in has, in `wasmedge-guest`, and the
//! component model's in `component-guest`. It knows neither them nor wasmtime.

mod error;
#[cfg_attr(not(feature = "rten"), path = "graph/without.rs")]
mod graph;
mod graphs;
mod library;
pub mod limits;
mod session;
mod tensor;

pub use error::{GraphError, Refusal};
pub use graph::{Graph, Input};
pub use graphs::Graphs;
pub use library::Library;
pub use session::{Job, Session};
pub use tensor::{Computed, Tensor, TensorType};
