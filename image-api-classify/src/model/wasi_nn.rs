//! Inference on the host, through `wasi-nn`.
//!
//! The host may know the network by name: the name of the model's directory, or `default` for the embedded model.
//! Otherwise it gets the network's file, which daprlet compares with those that it may run. Modules use the ABI of
//! preview 1, which WasmEdge's plug-in has; components use `wit/nn`.

#[cfg(all(target_os = "wasi", target_env = "p2"))]
#[path = "wasi_nn/component.rs"]
mod abi;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
#[path = "wasi_nn/preview1.rs"]
mod abi;
#[cfg(not(target_os = "wasi"))]
#[path = "wasi_nn/native.rs"]
mod abi;

use rten::Value;
use rten_tensor::{AsView as _, Layout as _, Tensor};

/// Element type of a tensor; image classifiers use no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "wasi"), expect(dead_code, reason = "there is no host to tell it to"))]
enum Kind {
    Float,
    Byte,
}

/// A network on the host.
pub(super) struct HostGraph {
    graph: abi::Graph,
    /// Number of values in the output.
    classes: usize,
}

impl HostGraph {
    /// Opens the host's network by name, else by content, for `classes` classes.
    ///
    /// # Errors
    /// If the host has no such network; with the reason.
    pub(super) fn open(name: &str, file: &[u8], classes: usize) -> Result<Self, String> {
        Ok(Self { graph: abi::Graph::open(name, file)?, classes })
    }

    /// Runs the network.
    ///
    /// # Errors
    /// If the host rejects the input, or the network fails.
    pub(super) fn run(&self, input: &Value) -> Result<Value, String> {
        let (kind, data) = match input {
            Value::FloatTensor(tensor) => {
                (Kind::Float, tensor.to_vec().into_iter().flat_map(f32::to_le_bytes).collect())
            }
            Value::UInt8Tensor(tensor) => (Kind::Byte, tensor.to_vec()),
            _ => return Err("only bytes and floating-point numbers are sent to the host".to_owned()),
        };
        let dimensions: Vec<u32> = input.shape().iter().map(|size| u32::try_from(*size).unwrap_or(u32::MAX)).collect();
        let (kind, data) = self.graph.compute(&dimensions, kind, data, self.classes)?;
        Ok(match kind {
            Kind::Byte => Tensor::from_data(&[data.len()], data).into(),
            Kind::Float => {
                let (numbers, _) = data.as_chunks::<4>();
                let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                Tensor::from_data(&[numbers.len()], numbers).into()
            }
        })
    }
}
