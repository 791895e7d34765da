//! `wasi:nn`: neural networks that the host computes. What may be computed is decided in [`inference`]; here are the
//! interfaces of `wit/nn`, and how much of it one instance may hold.

mod contract;

use std::sync::Arc;
use std::time::Duration;

use inference::{Computed, Graph, Graphs, Input, Refusal, Tensor, TensorType};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::state::{Imports, State};
use contract::errors::{self, ErrorCode};
use contract::graph::{ExecutionTarget, GraphEncoding};
use contract::{graph, inference as wit, tensor};

/// Graphs, contexts, tensors and errors that an instance has at once: each takes little, and no program needs many.
const MAX_RESOURCES: usize = 1024;

type Result<T> = wasmtime::Result<T>;
/// An answer of the interfaces: what was asked for, or an error, which is a resource.
type Answer<T> = Result<std::result::Result<T, Resource<Refusal>>>;

/// A graph as the instance has it.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
pub type Loaded = Arc<Graph>;

/// A context keeps nothing: its tensors come and go with each computation.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
pub struct Context(Arc<Graph>);

/// What one instance has of `wasi:nn`.
pub(crate) struct Nn {
    graphs: Arc<Graphs>,
    resources: usize,
    /// What all its tensors take, in bytes.
    held: usize,
}

impl Nn {
    pub(crate) const fn new(graphs: Arc<Graphs>) -> Self {
        Self { graphs, resources: 0, held: 0 }
    }
}

/// The same with what the instance holds otherwise.
pub(crate) struct NnView<'a> {
    nn: &'a mut Nn,
    table: &'a mut ResourceTable,
    /// Time that models have computed for the instance's request.
    computed: &'a mut Duration,
}

struct HasNn;

impl HasData for HasNn {
    type Data<'a> = NnView<'a>;
}

/// Lets components import `wasi:nn`.
pub(crate) fn add_to_linker<I: Imports>(linker: &mut Linker<State<I>>) -> Result<()> {
    contract::Ml::add_to_linker::<_, HasNn>(linker, view)
}

fn view<I>(state: &mut State<I>) -> NnView<'_> {
    NnView { nn: &mut state.nn, table: &mut state.table, computed: &mut state.computed }
}

impl NnView<'_> {
    /// Gives the instance a handle.
    ///
    /// # Errors
    /// When it has too many, which ends it: a constructor has no other way to say no.
    fn push<T: Send + 'static>(&mut self, resource: T, bytes: usize) -> Result<Resource<T>> {
        let held = self.nn.held.saturating_add(bytes);
        if self.nn.resources >= MAX_RESOURCES || held > inference::limits::TENSORS {
            let most = inference::limits::TENSORS;
            wasmtime::bail!(
                "the instance has more than {MAX_RESOURCES} resources of wasi:nn, or tensors of {most} bytes"
            );
        }
        let handle = self.table.push(resource)?;
        self.nn.resources += 1;
        self.nn.held = held;
        Ok(handle)
    }

    fn delete<T: 'static>(&mut self, handle: Resource<T>) -> Result<T> {
        let resource = self.table.delete(handle)?;
        self.nn.resources = self.nn.resources.saturating_sub(1);
        Ok(resource)
    }

    fn delete_tensor(&mut self, handle: Resource<Tensor>) -> Result<Tensor> {
        let tensor = self.delete(handle)?;
        self.nn.held = self.nn.held.saturating_sub(tensor.data.len());
        Ok(tensor)
    }

    fn answer<T: Send + 'static>(&mut self, found: std::result::Result<T, Refusal>) -> Answer<Resource<T>> {
        match found {
            Ok(found) => Ok(Ok(self.push(found, 0)?)),
            Err(refusal) => Ok(Err(self.push(refusal, 0)?)),
        }
    }
}

impl graph::Host for NnView<'_> {
    fn load(
        &mut self,
        parts: Vec<Vec<u8>>,
        encoding: GraphEncoding,
        target: ExecutionTarget,
    ) -> Answer<Resource<Loaded>> {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let found = match (encoding, target) {
            (GraphEncoding::Onnx | GraphEncoding::Autodetect, ExecutionTarget::Cpu) => {
                self.nn.graphs.by_content(&parts)
            }
            (_, ExecutionTarget::Cpu) => Err(Refusal::InvalidEncoding("the host computes ONNX graphs".to_owned())),
            _ => Err(Refusal::InvalidArgument("the host computes on processors only".to_owned())),
        };
        self.answer(found)
    }

    fn load_by_name(&mut self, name: String) -> Answer<Resource<Loaded>> {
        let found = self.nn.graphs.by_name(&name);
        self.answer(found)
    }
}

impl graph::HostGraph for NnView<'_> {
    fn init_execution_context(&mut self, graph: Resource<Loaded>) -> Answer<Resource<Context>> {
        let context = Context(self.table.get(&graph)?.clone());
        self.answer(Ok(context))
    }

    fn drop(&mut self, graph: Resource<Loaded>) -> Result<()> {
        self.delete(graph).map(drop)
    }
}

impl wit::Host for NnView<'_> {}

impl wit::HostGraphExecutionContext for NnView<'_> {
    async fn compute(
        &mut self,
        context: Resource<Context>,
        inputs: Vec<(String, Resource<Tensor>)>,
    ) -> Answer<Vec<(String, Resource<Tensor>)>> {
        let graph = self.table.get(&context)?.0.clone();
        let mut given = Vec::new();
        for (name, tensor) in inputs {
            given.push((name, self.delete_tensor(tensor)?));
        }
        let computed = match placed(&graph, &given) {
            Ok(inputs) => graph.compute(inputs).await,
            Err(refusal) => Err(refusal),
        };
        match computed {
            Ok(Computed { outputs, took }) => {
                // It counts as the instance's own computing, and the wait for its turn does not.
                *self.computed = self.computed.saturating_add(took);
                let mut answer = Vec::new();
                for (name, tensor) in outputs {
                    let bytes = tensor.data.len();
                    answer.push((name, self.push(tensor, bytes)?));
                }
                Ok(Ok(answer))
            }
            Err(refusal) => Ok(Err(self.push(refusal, 0)?)),
        }
    }

    fn drop(&mut self, context: Resource<Context>) -> Result<()> {
        self.delete(context).map(drop)
    }
}

/// The inputs, each at its place.
fn placed(graph: &Graph, given: &[(String, Tensor)]) -> std::result::Result<Vec<Option<Input>>, Refusal> {
    let mut inputs = vec![None; graph.inputs()];
    for (name, tensor) in given {
        let place = graph.input_place(name);
        let slot = place.and_then(|place| Some((place, inputs.get_mut(place)?)));
        let (place, slot) = slot.ok_or_else(|| Refusal::InvalidArgument(format!("the graph has no input {name:?}")))?;
        *slot = Some(graph.input(place, tensor)?);
    }
    Ok(inputs)
}

impl tensor::Host for NnView<'_> {}

impl tensor::HostTensor for NnView<'_> {
    fn new(&mut self, dimensions: Vec<u32>, ty: tensor::TensorType, data: Vec<u8>) -> Result<Resource<Tensor>> {
        // Whether size and dimensions agree is checked when it is used, where there is a way to say no.
        let bytes = data.len();
        self.push(Tensor { dimensions, kind: own(ty), data }, bytes)
    }

    fn dimensions(&mut self, tensor: Resource<Tensor>) -> Result<Vec<u32>> {
        Ok(self.table.get(&tensor)?.dimensions.clone())
    }

    fn ty(&mut self, tensor: Resource<Tensor>) -> Result<tensor::TensorType> {
        Ok(theirs(self.table.get(&tensor)?.kind))
    }

    fn data(&mut self, tensor: Resource<Tensor>) -> Result<Vec<u8>> {
        Ok(self.table.get(&tensor)?.data.clone())
    }

    fn drop(&mut self, tensor: Resource<Tensor>) -> Result<()> {
        self.delete_tensor(tensor).map(drop)
    }
}

impl errors::Host for NnView<'_> {}

impl errors::HostError for NnView<'_> {
    fn code(&mut self, error: Resource<Refusal>) -> Result<ErrorCode> {
        Ok(match self.table.get(&error)? {
            Refusal::InvalidArgument(_) => ErrorCode::InvalidArgument,
            Refusal::InvalidEncoding(_) => ErrorCode::InvalidEncoding,
            Refusal::RuntimeError(_) => ErrorCode::RuntimeError,
            Refusal::TooLarge(_) => ErrorCode::TooLarge,
            Refusal::NotFound(_) => ErrorCode::NotFound,
        })
    }

    fn data(&mut self, error: Resource<Refusal>) -> Result<String> {
        Ok(self.table.get(&error)?.to_string())
    }

    fn drop(&mut self, error: Resource<Refusal>) -> Result<()> {
        self.delete(error).map(drop)
    }
}

const fn own(ty: tensor::TensorType) -> TensorType {
    match ty {
        tensor::TensorType::Fp16 => TensorType::F16,
        tensor::TensorType::Fp32 => TensorType::F32,
        tensor::TensorType::Fp64 => TensorType::F64,
        tensor::TensorType::Bf16 => TensorType::Bf16,
        tensor::TensorType::U8 => TensorType::U8,
        tensor::TensorType::I32 => TensorType::I32,
        tensor::TensorType::I64 => TensorType::I64,
    }
}

const fn theirs(kind: TensorType) -> tensor::TensorType {
    match kind {
        TensorType::F16 => tensor::TensorType::Fp16,
        TensorType::F32 => tensor::TensorType::Fp32,
        TensorType::F64 => tensor::TensorType::Fp64,
        TensorType::Bf16 => tensor::TensorType::Bf16,
        TensorType::U8 => tensor::TensorType::U8,
        TensorType::I32 => tensor::TensorType::I32,
        TensorType::I64 => tensor::TensorType::I64,
    }
}

#[cfg(test)]
mod tests;
