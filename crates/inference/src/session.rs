//! State of one guest in the preview 1 ABI of `wasi-nn`: handles of its graphs and contexts.

use std::sync::Arc;

use crate::error::NnError;
use crate::graph::{Graph, Input};
use crate::graphs::Graphs;
use crate::limits;
use crate::tensor::{ComputeResult, Tensor};

/// Graphs and contexts of one guest.
pub struct Session {
    graphs: Arc<Graphs>,
    loaded: Vec<Option<Arc<Graph>>>,
    contexts: Vec<Option<Context>>,
    /// Size of all tensors, in bytes.
    tensor_bytes: usize,
}

struct Context {
    graph: Arc<Graph>,
    /// Inputs, each with its size in bytes.
    inputs: Vec<Option<(Input, usize)>>,
    outputs: Vec<Tensor>,
}

/// Requested computation.
pub struct Job {
    graph: Arc<Graph>,
    inputs: Vec<Option<Input>>,
}

impl Job {
    /// Computes the graph; see [`Graph::compute`].
    ///
    /// # Errors
    /// Same as [`Graph::compute`].
    pub async fn run(self) -> Result<ComputeResult, NnError> {
        self.graph.compute(self.inputs).await
    }
}

impl Session {
    /// Creates the session of a guest that may use `graphs`.
    #[must_use]
    pub const fn new(graphs: Arc<Graphs>) -> Self {
        Self { graphs, loaded: Vec::new(), contexts: Vec::new(), tensor_bytes: 0 }
    }

    /// Loads the graph with that name, and returns its handle.
    ///
    /// # Errors
    /// When there is none, or the guest has too many.
    pub fn load_by_name(&mut self, name: &str) -> Result<u32, NnError> {
        let graph = self.graphs.by_name(name)?;
        insert(&mut self.loaded, graph, "graphs")
    }

    /// Loads the named graph with the given content, and returns its handle.
    ///
    /// # Errors
    /// When there is none, or the guest has too many.
    pub fn load(&mut self, parts: &[&[u8]]) -> Result<u32, NnError> {
        let graph = self.graphs.by_content(parts)?;
        insert(&mut self.loaded, graph, "graphs")
    }

    /// Releases a graph; its contexts remain.
    ///
    /// # Errors
    /// When there is no such graph.
    pub fn unload(&mut self, graph: u32) -> Result<(), NnError> {
        let slot = self.loaded.get_mut(graph as usize).and_then(Option::take);
        slot.map(drop).ok_or_else(|| unknown("graph", graph))
    }

    /// Creates a context of a graph, and returns its handle.
    ///
    /// # Errors
    /// When there is no such graph, or the guest has too many contexts.
    pub fn init_execution_context(&mut self, graph: u32) -> Result<u32, NnError> {
        let loaded = self.loaded.get(graph as usize).and_then(Option::as_ref);
        let graph = loaded.ok_or_else(|| unknown("graph", graph))?.clone();
        insert(&mut self.contexts, Context { graph, inputs: Vec::new(), outputs: Vec::new() }, "contexts")
    }

    /// Releases a context and all its tensors.
    ///
    /// # Errors
    /// When there is no such context.
    pub fn finalize_execution_context(&mut self, context: u32) -> Result<(), NnError> {
        let slot = self.contexts.get_mut(context as usize).and_then(Option::take);
        let Context { inputs, outputs, .. } = slot.ok_or_else(|| unknown("context", context))?;
        let inputs = inputs.iter().flatten().map(|(_, bytes)| bytes).sum::<usize>();
        self.tensor_bytes -= inputs + size(&outputs);
        Ok(())
    }

    /// Sets an input, which is kept for all computations until it is set again.
    ///
    /// # Errors
    /// When there is no such context or input, the tensor does not fit, or the guest has too many tensors.
    pub fn set_input(&mut self, context: u32, index: u32, tensor: &Tensor) -> Result<(), NnError> {
        let context = find_context(&mut self.contexts, context)?;
        let index = index as usize;
        let input = context.graph.input(index, tensor)?;
        // The graph has an input at that index, so the guest cannot choose an arbitrary size.
        if context.inputs.len() <= index {
            context.inputs.resize(index + 1, None);
        }
        let Some(slot) = context.inputs.get_mut(index) else {
            return Err(NnError::invalid_argument("there is no such input"));
        };
        let replaced = slot.as_ref().map_or(0, |(_, bytes)| *bytes);
        let tensor_bytes = add_bytes(self.tensor_bytes - replaced, tensor.data.len())?;
        *slot = Some((input, tensor.data.len()));
        self.tensor_bytes = tensor_bytes;
        Ok(())
    }

    /// Returns the computation of a context.
    ///
    /// # Errors
    /// When there is no such context.
    pub fn job(&mut self, context: u32) -> Result<Job, NnError> {
        let context = find_context(&mut self.contexts, context)?;
        let inputs = context.inputs.iter().map(|slot| slot.as_ref().map(|(input, _)| input.clone())).collect();
        Ok(Job { graph: context.graph.clone(), inputs })
    }

    /// Stores the outputs of a computation.
    ///
    /// # Errors
    /// When they exceed the guest's limit.
    pub fn finish(&mut self, context: u32, computed: ComputeResult) -> Result<(), NnError> {
        let context = find_context(&mut self.contexts, context)?;
        let outputs: Vec<_> = computed.outputs.into_iter().map(|(_, tensor)| tensor).collect();
        self.tensor_bytes -= size(&context.outputs);
        context.outputs.clear();
        self.tensor_bytes = add_bytes(self.tensor_bytes, size(&outputs))?;
        context.outputs = outputs;
        Ok(())
    }

    /// Returns an output of the last computation.
    ///
    /// # Errors
    /// When there are no outputs yet, or there is no such output.
    pub fn output(&mut self, context: u32, index: u32) -> Result<&Tensor, NnError> {
        let outputs = &find_context(&mut self.contexts, context)?.outputs;
        if outputs.is_empty() {
            return Err(NnError::RuntimeError("nothing was computed yet".to_owned()));
        }
        outputs
            .get(index as usize)
            .ok_or_else(|| NnError::invalid_argument(format!("there are {} outputs", outputs.len())))
    }
}

fn size(tensors: &[Tensor]) -> usize {
    tensors.iter().map(|tensor| tensor.data.len()).sum()
}

/// Inserts an item in the first free slot.
fn insert<T>(slots: &mut Vec<Option<T>>, item: T, what: &str) -> Result<u32, NnError> {
    let index = slots.iter().position(Option::is_none).unwrap_or(slots.len());
    if index >= limits::MAX_HANDLES {
        return Err(NnError::TooLarge(format!("a guest has at most {} {what} at once", limits::MAX_HANDLES)));
    }
    match slots.get_mut(index) {
        Some(slot) => *slot = Some(item),
        None => slots.push(Some(item)),
    }
    u32::try_from(index).map_err(|_| NnError::TooLarge(format!("too many {what}")))
}

fn find_context(contexts: &mut [Option<Context>], context: u32) -> Result<&mut Context, NnError> {
    contexts.get_mut(context as usize).and_then(Option::as_mut).ok_or_else(|| unknown("context", context))
}

fn unknown(what: &str, number: u32) -> NnError {
    NnError::invalid_argument(format!("there is no {what} {number}"))
}

fn add_bytes(tensor_bytes: usize, more: usize) -> Result<usize, NnError> {
    let sum = tensor_bytes.saturating_add(more);
    if sum <= limits::MAX_TENSORS_BYTES {
        return Ok(sum);
    }
    Err(NnError::TooLarge(format!("the tensors of a guest take at most {} bytes", limits::MAX_TENSORS_BYTES)))
}
