//! Loaded network that any number of guests can use concurrently.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rten::{DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueType};
use rten_tensor::{AsView as _, Layout as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::error::{GraphError, NnError};
use crate::tensor::{ComputeResult, Tensor, TensorType};

/// Threads that compute the graphs of a process.
pub(crate) struct Workers {
    pool: Arc<ThreadPool>,
    /// Limits concurrent computations to the number of cores; others queue in order. More would only use more memory.
    turns: Arc<Semaphore>,
}

impl Workers {
    /// Creates one thread per core.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { pool: Arc::new(ThreadPool::with_num_threads(cores)), turns: Arc::new(Semaphore::new(cores)) }
    }
}

/// SHA-256 of a graph's file.
pub(crate) type Digest = [u8; 32];

/// Content of a graph's file.
pub(crate) struct Content {
    bytes: Vec<u8>,
    pub(crate) digest: Digest,
}

impl Content {
    pub(crate) fn read(path: &Path) -> Result<Self, GraphError> {
        let bytes = fs::read(path).map_err(GraphError::Read)?;
        let digest = Sha256::digest(&bytes).into();
        Ok(Self { bytes, digest })
    }
}

/// Loaded network.
pub struct Graph {
    network: Model,
    size: usize,
    digest: Digest,
    workers: Arc<Workers>,
}

/// Tensor that was checked against an input of its graph.
#[derive(Clone)]
pub struct Input(Arc<Value>);

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("bytes", &self.size).finish_non_exhaustive()
    }
}

impl Graph {
    pub(crate) fn load(content: Content, workers: Arc<Workers>) -> Result<Self, GraphError> {
        let Content { bytes, digest } = content;
        let size = bytes.len();
        let network = ModelOptions::with_all_ops().prepack_weights(true).load(bytes);
        let network = network.map_err(|error| GraphError::Load(error.to_string()))?;
        Ok(Self { network, size, digest, workers })
    }

    /// Returns true if `bytes` are the content of this graph's file.
    pub(crate) fn has_content(&self, bytes: &[u8]) -> bool {
        // The size excludes most other contents without hashing them.
        bytes.len() == self.size && Digest::from(Sha256::digest(bytes)) == self.digest
    }

    /// Returns the number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.network.input_ids().len()
    }

    /// Returns the index of the input with the given name. Its number is also accepted as a name.
    #[must_use]
    pub fn input_index(&self, name: &str) -> Option<usize> {
        let named = self.network.input_ids().iter().position(|id| self.name(*id) == Some(name));
        named.or_else(|| name.parse().ok().filter(|index| *index < self.inputs()))
    }

    /// Checks a tensor against the input at `index`.
    ///
    /// # Errors
    /// When there is no such input, or the tensor does not fit.
    pub fn input(&self, index: usize, tensor: &Tensor) -> Result<Input, NnError> {
        let id = self.network.input_ids().get(index);
        let id = *id.ok_or_else(|| NnError::invalid_argument(format!("the graph has {} inputs", self.inputs())))?;
        tensor.check()?;
        let info = self.network.node_info(id);
        let expected = info.as_ref().and_then(|info| info.shape());
        if let Some(expected) = expected.filter(|expected| !fits(expected, &tensor.dimensions)) {
            let expected: Vec<_> = expected.iter().map(dimension).collect();
            let found = &tensor.dimensions;
            return Err(NnError::invalid_argument(format!("the graph takes [{}], not {found:?}", expected.join(", "))));
        }
        let kind = match tensor.kind {
            TensorType::F32 => DataType::Float,
            TensorType::I32 => DataType::Int32,
            TensorType::U8 => DataType::UInt8,
            other => return Err(NnError::invalid_argument(format!("no graph here takes tensors of {other:?}"))),
        };
        let expected = info.and_then(|info| info.dtype());
        if let Some(expected) = expected.filter(|expected| *expected != ValueType::Tensor(kind)) {
            return Err(NnError::invalid_argument(format!(
                "the graph takes {expected:?}, not tensors of {:?}",
                tensor.kind
            )));
        }
        let shape: Vec<usize> = tensor.dimensions.iter().map(|size| *size as usize).collect();
        let value = match kind {
            DataType::Float => value(shape, numbers(&tensor.data, f32::from_le_bytes)),
            DataType::Int32 => value(shape, numbers(&tensor.data, i32::from_le_bytes)),
            _ => value(shape, tensor.data.clone()),
        };
        value.map(|value| Input(Arc::new(value)))
    }

    /// Computes the graph after waiting in the queue, without blocking async threads.
    ///
    /// Dropping the future does not stop a computation that has begun, which is impossible.
    ///
    /// # Errors
    /// When an input is missing, or the graph fails.
    pub async fn compute(self: &Arc<Self>, inputs: Vec<Option<Input>>) -> Result<ComputeResult, NnError> {
        let mut given = Vec::new();
        for index in 0..self.inputs() {
            let input = inputs.get(index).cloned().flatten();
            given
                .push(input.ok_or_else(|| NnError::invalid_argument(format!("the graph's input {index} is not set")))?);
        }
        let turn = self.workers.turns.clone().acquire_owned().await;
        let graph = self.clone();
        let computing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            graph.run(&given)
        });
        // A panic in RTen fails this computation only.
        computing.await.map_err(|error| NnError::RuntimeError(format!("the graph failed: {error}")))?
    }

    fn run(&self, inputs: &[Input]) -> Result<ComputeResult, NnError> {
        let begin = Instant::now();
        let ids = self.network.input_ids().iter().copied();
        let inputs: Vec<_> = ids.zip(inputs.iter().map(|input| ValueOrView::from(input.0.as_ref()))).collect();
        let options = RunOptions::default().with_thread_pool(Some(self.workers.pool.clone()));
        let outputs = self.network.run(inputs, self.network.output_ids(), Some(options));
        let outputs = outputs.map_err(|error| NnError::RuntimeError(format!("the graph failed: {error}")))?;
        let names = self.network.output_ids().iter().map(|id| self.name(*id).unwrap_or_default().to_owned());
        let outputs = names.zip(&outputs).map(|(name, value)| Ok((name, tensor(value)?)));
        let outputs = outputs.collect::<Result<_, NnError>>()?;
        Ok(ComputeResult { outputs, duration: begin.elapsed() })
    }

    fn name(&self, id: NodeId) -> Option<&str> {
        self.network.node_info(id).and_then(|info| info.name())
    }
}

fn fits(expected: &[Dimension], found: &[u32]) -> bool {
    let fits_one = |(expected, found): (&Dimension, &u32)| match expected {
        Dimension::Fixed(size) => *size == *found as usize,
        Dimension::Symbolic(_) => true,
    };
    expected.len() == found.len() && expected.iter().zip(found).all(fits_one)
}

fn dimension(dimension: &Dimension) -> String {
    match dimension {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Symbolic(name) => name.clone(),
    }
}

fn value<T: 'static>(shape: Vec<usize>, numbers: Vec<T>) -> Result<Value, NnError>
where
    Value: From<rten_tensor::Tensor<T>>,
{
    Value::from_shape(shape, numbers).map_err(|error| NnError::invalid_argument(error.to_string()))
}

fn numbers<T, const N: usize>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

fn tensor(value: &Value) -> Result<Tensor, NnError> {
    let (kind, shape, data) = match value {
        Value::FloatTensor(it) => (TensorType::F32, it.shape(), bytes(&it.to_vec(), |it| it.to_le_bytes())),
        Value::Int32Tensor(it) => (TensorType::I32, it.shape(), bytes(&it.to_vec(), |it| it.to_le_bytes())),
        Value::UInt8Tensor(it) => (TensorType::U8, it.shape(), it.to_vec()),
        _ => return Err(NnError::RuntimeError("the graph's output has a type that wasi-nn does not support".into())),
    };
    let dimensions = shape.as_ref().iter().map(|size| u32::try_from(*size).unwrap_or(u32::MAX)).collect();
    Ok(Tensor { dimensions, kind, data })
}

fn bytes<T: Copy, const N: usize>(numbers: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| bytes(*number)).collect()
}

#[cfg(test)]
mod tests;
