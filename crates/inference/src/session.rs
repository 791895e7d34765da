//! What one guest has of `wasi-nn` in the ABI of preview 1: numbers for its graphs and contexts.

use std::sync::Arc;

use crate::error::Refusal;
use crate::graph::{Graph, Input};
use crate::graphs::Graphs;
use crate::limits;
use crate::tensor::{Computed, Tensor};

/// The graphs and contexts of one guest.
pub struct Session {
    graphs: Arc<Graphs>,
    loaded: Vec<Option<Arc<Graph>>>,
    contexts: Vec<Option<Context>>,
    /// What all tensors take, in bytes.
    held: usize,
}

struct Context {
    graph: Arc<Graph>,
    /// Each with its size in bytes.
    inputs: Vec<Option<(Input, usize)>>,
    outputs: Vec<Tensor>,
}

/// A computation that was asked for.
pub struct Job {
    graph: Arc<Graph>,
    inputs: Vec<Option<Input>>,
}

impl Job {
    /// Computes; see [`Graph::compute`].
    ///
    /// # Errors
    /// As there.
    pub async fn run(self) -> Result<Computed, Refusal> {
        self.graph.compute(self.inputs).await
    }
}

impl Session {
    /// A guest that may ask those graphs.
    #[must_use]
    pub const fn new(graphs: Arc<Graphs>) -> Self {
        Self { graphs, loaded: Vec::new(), contexts: Vec::new(), held: 0 }
    }

    /// The number of the graph of that name.
    ///
    /// # Errors
    /// When there is none, or the guest has too many.
    pub fn load_by_name(&mut self, name: &str) -> Result<u32, Refusal> {
        let graph = self.graphs.by_name(name)?;
        insert(&mut self.loaded, graph, "graphs")
    }

    /// The number of the named graph that consists of those bytes.
    ///
    /// # Errors
    /// When there is none, or the guest has too many.
    pub fn load(&mut self, parts: &[&[u8]]) -> Result<u32, Refusal> {
        let graph = self.graphs.by_content(parts)?;
        insert(&mut self.loaded, graph, "graphs")
    }

    /// Gives a graph back; its contexts stay.
    ///
    /// # Errors
    /// When there is no such graph.
    pub fn unload(&mut self, graph: u32) -> Result<(), Refusal> {
        let slot = self.loaded.get_mut(graph as usize).and_then(Option::take);
        slot.map(drop).ok_or_else(|| unknown("graph", graph))
    }

    /// The number of a new context of a graph.
    ///
    /// # Errors
    /// When there is no such graph, or the guest has too many contexts.
    pub fn init_execution_context(&mut self, graph: u32) -> Result<u32, Refusal> {
        let loaded = self.loaded.get(graph as usize).and_then(Option::as_ref);
        let graph = loaded.ok_or_else(|| unknown("graph", graph))?.clone();
        insert(&mut self.contexts, Context { graph, inputs: Vec::new(), outputs: Vec::new() }, "contexts")
    }

    /// Gives a context back, and all tensors in it.
    ///
    /// # Errors
    /// When there is no such context.
    pub fn finalize_execution_context(&mut self, context: u32) -> Result<(), Refusal> {
        let slot = self.contexts.get_mut(context as usize).and_then(Option::take);
        let Context { inputs, outputs, .. } = slot.ok_or_else(|| unknown("context", context))?;
        let inputs = inputs.iter().flatten().map(|(_, bytes)| bytes).sum::<usize>();
        self.held -= inputs + size(&outputs);
        Ok(())
    }

    /// Sets an input, which stays for all computations until it is set again.
    ///
    /// # Errors
    /// When there is no such context or input, the tensor does not fit, or the guest has too many.
    pub fn set_input(&mut self, context: u32, place: u32, tensor: &Tensor) -> Result<(), Refusal> {
        let context = find(&mut self.contexts, context)?;
        let place = place as usize;
        let input = context.graph.input(place, tensor)?;
        // The graph has an input at that place, so that is no number of the guest's choice.
        if context.inputs.len() <= place {
            context.inputs.resize(place + 1, None);
        }
        let Some(slot) = context.inputs.get_mut(place) else { return Err(Refusal::argument("there is no such input")) };
        let replaced = slot.as_ref().map_or(0, |(_, bytes)| *bytes);
        let held = hold(self.held - replaced, tensor.data.len())?;
        *slot = Some((input, tensor.data.len()));
        self.held = held;
        Ok(())
    }

    /// What there is to compute.
    ///
    /// # Errors
    /// When there is no such context.
    pub fn job(&mut self, context: u32) -> Result<Job, Refusal> {
        let context = find(&mut self.contexts, context)?;
        let inputs = context.inputs.iter().map(|slot| slot.as_ref().map(|(input, _)| input.clone())).collect();
        Ok(Job { graph: context.graph.clone(), inputs })
    }

    /// Keeps what was computed.
    ///
    /// # Errors
    /// When that is more than a guest may have.
    pub fn finish(&mut self, context: u32, computed: Computed) -> Result<(), Refusal> {
        let context = find(&mut self.contexts, context)?;
        let outputs: Vec<_> = computed.outputs.into_iter().map(|(_, tensor)| tensor).collect();
        self.held -= size(&context.outputs);
        context.outputs.clear();
        self.held = hold(self.held, size(&outputs))?;
        context.outputs = outputs;
        Ok(())
    }

    /// What the last computation gave at a place.
    ///
    /// # Errors
    /// When nothing was computed, or there is no such output.
    pub fn output(&mut self, context: u32, place: u32) -> Result<&Tensor, Refusal> {
        let outputs = &find(&mut self.contexts, context)?.outputs;
        if outputs.is_empty() {
            return Err(Refusal::RuntimeError("nothing was computed yet".to_owned()));
        }
        outputs.get(place as usize).ok_or_else(|| Refusal::argument(format!("there are {} outputs", outputs.len())))
    }
}

fn size(tensors: &[Tensor]) -> usize {
    tensors.iter().map(|tensor| tensor.data.len()).sum()
}

/// Puts something where nothing is.
fn insert<T>(slots: &mut Vec<Option<T>>, item: T, what: &str) -> Result<u32, Refusal> {
    let place = slots.iter().position(Option::is_none).unwrap_or(slots.len());
    if place >= limits::HANDLES {
        return Err(Refusal::TooLarge(format!("a guest has at most {} {what} at once", limits::HANDLES)));
    }
    match slots.get_mut(place) {
        Some(slot) => *slot = Some(item),
        None => slots.push(Some(item)),
    }
    u32::try_from(place).map_err(|_| Refusal::TooLarge(format!("too many {what}")))
}

fn find(contexts: &mut [Option<Context>], context: u32) -> Result<&mut Context, Refusal> {
    contexts.get_mut(context as usize).and_then(Option::as_mut).ok_or_else(|| unknown("context", context))
}

fn unknown(what: &str, number: u32) -> Refusal {
    Refusal::argument(format!("there is no {what} {number}"))
}

fn hold(held: usize, more: usize) -> Result<usize, Refusal> {
    let sum = held.saturating_add(more);
    if sum <= limits::TENSORS {
        return Ok(sum);
    }
    Err(Refusal::TooLarge(format!("the tensors of a guest take at most {} bytes", limits::TENSORS)))
}
