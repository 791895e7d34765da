//! Neural networks behind `wasi-nn`, which guests use by name and RTen computes on all cores.
//!
//! In the terms of `wasi-nn`, a network is a *graph*, and a *context* holds the tensors of one inference. A graph is a
//! program whose time and memory cannot be limited, so guests may only use those that the operator named on the command
//! line ([`Graphs`]). Each file is loaded once per process ([`Library`]) and shared by all guests. The host memory of
//! each guest is limited ([`limits`]).
//!
//! Two ABIs use this crate: that of preview 1, as in WasmEdge's plug-in, in `guest-wasmedge`, and the component model's
//! in `guest-wasi-http`. This crate depends on neither, nor on wasmtime.

mod error;
#[cfg_attr(not(feature = "rten"), path = "graph/stub.rs")]
mod graph;
mod graphs;
mod library;
pub mod limits;
mod session;
mod tensor;

pub use error::{GraphError, NnError};
pub use graph::{Graph, Input};
pub use graphs::Graphs;
pub use library::Library;
pub use session::{Job, Session};
pub use tensor::{ComputeResult, Tensor, TensorType};
