//! `wasi:nn`: neural networks that the host computes.
//!
//! [`inference`] decides what may be computed; this module has the interfaces of `wit/nn` and the limits of one
//! instance.

mod contract;

use std::sync::Arc;
use std::time::Duration;

use inference::{ComputeResult, Graph, Graphs, Input, NnError, Tensor, TensorType};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::state::{Imports, State};
use contract::errors::{self, ErrorCode};
use contract::graph::{ExecutionTarget, GraphEncoding};
use contract::{graph, inference as wit, tensor};

/// Limit on an instance's graphs, contexts, tensors and errors: each is small, and no program needs many.
const MAX_RESOURCES: usize = 1024;

type Result<T> = wasmtime::Result<T>;
/// Result of an interface function; an error is a resource.
type NnResult<T> = Result<std::result::Result<T, Resource<NnError>>>;

/// Graph, as the instance holds it.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
pub type Loaded = Arc<Graph>;

/// Execution context. It has no state: tensors are passed with each computation.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
pub struct Context(Arc<Graph>);

/// State of one instance for `wasi:nn`.
pub(crate) struct Nn {
    graphs: Arc<Graphs>,
    resources: usize,
    /// Size of all its tensors, in bytes.
    tensor_bytes: usize,
}

impl Nn {
    pub(crate) const fn new(graphs: Arc<Graphs>) -> Self {
        Self { graphs, resources: 0, tensor_bytes: 0 }
    }
}

/// View of the state, together with the instance's resources.
pub(crate) struct NnView<'a> {
    nn: &'a mut Nn,
    table: &'a mut ResourceTable,
    /// Computing time of models for the instance's current request.
    computed: &'a mut Duration,
}

struct HasNn;

impl HasData for HasNn {
    type Data<'a> = NnView<'a>;
}

/// Adds the imports of `wasi:nn` to the linker.
pub(crate) fn add_to_linker<I: Imports>(linker: &mut Linker<State<I>>) -> Result<()> {
    contract::Ml::add_to_linker::<_, HasNn>(linker, view)
}

fn view<I>(state: &mut State<I>) -> NnView<'_> {
    NnView { nn: &mut state.nn, table: &mut state.table, computed: &mut state.computed }
}

impl NnView<'_> {
    /// Creates a handle for a resource.
    ///
    /// # Errors
    /// When the instance has too many resources. This ends it, as a constructor cannot return an error.
    fn push<T: Send + 'static>(&mut self, resource: T, bytes: usize) -> Result<Resource<T>> {
        let tensor_bytes = self.nn.tensor_bytes.saturating_add(bytes);
        if self.nn.resources >= MAX_RESOURCES || tensor_bytes > inference::limits::MAX_TENSORS_BYTES {
            let limit = inference::limits::MAX_TENSORS_BYTES;
            wasmtime::bail!(
                "the instance has more than {MAX_RESOURCES} wasi:nn resources, or tensors of more than {limit} bytes"
            );
        }
        let handle = self.table.push(resource)?;
        self.nn.resources += 1;
        self.nn.tensor_bytes = tensor_bytes;
        Ok(handle)
    }

    fn delete<T: 'static>(&mut self, handle: Resource<T>) -> Result<T> {
        let resource = self.table.delete(handle)?;
        self.nn.resources = self.nn.resources.saturating_sub(1);
        Ok(resource)
    }

    fn delete_tensor(&mut self, handle: Resource<Tensor>) -> Result<Tensor> {
        let tensor = self.delete(handle)?;
        self.nn.tensor_bytes = self.nn.tensor_bytes.saturating_sub(tensor.data.len());
        Ok(tensor)
    }

    fn push_result<T: Send + 'static>(&mut self, found: std::result::Result<T, NnError>) -> NnResult<Resource<T>> {
        match found {
            Ok(found) => Ok(Ok(self.push(found, 0)?)),
            Err(error) => Ok(Err(self.push(error, 0)?)),
        }
    }
}

impl graph::Host for NnView<'_> {
    fn load(
        &mut self,
        parts: Vec<Vec<u8>>,
        encoding: GraphEncoding,
        target: ExecutionTarget,
    ) -> NnResult<Resource<Loaded>> {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let found = match (encoding, target) {
            (GraphEncoding::Onnx | GraphEncoding::Autodetect, ExecutionTarget::Cpu) => {
                self.nn.graphs.by_content(&parts)
            }
            (_, ExecutionTarget::Cpu) => Err(NnError::InvalidEncoding("the host computes ONNX graphs".to_owned())),
            _ => Err(NnError::InvalidArgument("the host computes on processors only".to_owned())),
        };
        self.push_result(found)
    }

    fn load_by_name(&mut self, name: String) -> NnResult<Resource<Loaded>> {
        let found = self.nn.graphs.by_name(&name);
        self.push_result(found)
    }
}

impl graph::HostGraph for NnView<'_> {
    fn init_execution_context(&mut self, graph: Resource<Loaded>) -> NnResult<Resource<Context>> {
        let context = Context(self.table.get(&graph)?.clone());
        self.push_result(Ok(context))
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
    ) -> NnResult<Vec<(String, Resource<Tensor>)>> {
        let graph = self.table.get(&context)?.0.clone();
        let mut given = Vec::new();
        for (name, tensor) in inputs {
            given.push((name, self.delete_tensor(tensor)?));
        }
        let computed = match order_inputs(&graph, &given) {
            Ok(inputs) => graph.compute(inputs).await,
            Err(error) => Err(error),
        };
        match computed {
            Ok(ComputeResult { outputs, duration }) => {
                // Counts as the instance's own computing time; the time in the queue does not.
                *self.computed = self.computed.saturating_add(duration);
                let mut results = Vec::new();
                for (name, tensor) in outputs {
                    let bytes = tensor.data.len();
                    results.push((name, self.push(tensor, bytes)?));
                }
                Ok(Ok(results))
            }
            Err(error) => Ok(Err(self.push(error, 0)?)),
        }
    }

    fn drop(&mut self, context: Resource<Context>) -> Result<()> {
        self.delete(context).map(drop)
    }
}

/// Orders the inputs by their index in the graph.
fn order_inputs(graph: &Graph, given: &[(String, Tensor)]) -> std::result::Result<Vec<Option<Input>>, NnError> {
    let mut inputs = vec![None; graph.inputs()];
    for (name, tensor) in given {
        let index = graph.input_index(name);
        let slot = index.and_then(|index| Some((index, inputs.get_mut(index)?)));
        let (index, slot) = slot.ok_or_else(|| NnError::InvalidArgument(format!("the graph has no input {name:?}")))?;
        *slot = Some(graph.input(index, tensor)?);
    }
    Ok(inputs)
}

impl tensor::Host for NnView<'_> {}

impl tensor::HostTensor for NnView<'_> {
    fn new(&mut self, dimensions: Vec<u32>, ty: tensor::TensorType, data: Vec<u8>) -> Result<Resource<Tensor>> {
        // Size and dimensions are checked on use, where an error can be returned.
        let bytes = data.len();
        self.push(Tensor { dimensions, kind: from_wit(ty), data }, bytes)
    }

    fn dimensions(&mut self, tensor: Resource<Tensor>) -> Result<Vec<u32>> {
        Ok(self.table.get(&tensor)?.dimensions.clone())
    }

    fn ty(&mut self, tensor: Resource<Tensor>) -> Result<tensor::TensorType> {
        Ok(to_wit(self.table.get(&tensor)?.kind))
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
    fn code(&mut self, error: Resource<NnError>) -> Result<ErrorCode> {
        Ok(match self.table.get(&error)? {
            NnError::InvalidArgument(_) => ErrorCode::InvalidArgument,
            NnError::InvalidEncoding(_) => ErrorCode::InvalidEncoding,
            NnError::RuntimeError(_) => ErrorCode::RuntimeError,
            NnError::TooLarge(_) => ErrorCode::TooLarge,
            NnError::NotFound(_) => ErrorCode::NotFound,
        })
    }

    fn data(&mut self, error: Resource<NnError>) -> Result<String> {
        Ok(self.table.get(&error)?.to_string())
    }

    fn drop(&mut self, error: Resource<NnError>) -> Result<()> {
        self.delete(error).map(drop)
    }
}

const fn from_wit(ty: tensor::TensorType) -> TensorType {
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

const fn to_wit(kind: TensorType) -> tensor::TensorType {
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
