//! A network that the host computes, through `wasi-nn`.
//!
//! The host may know it by a name: that of the model's folder, or `default` for the one that is part of the service. Else it is
//! given the network's file, which daprlet compares with those that it may compute. In a module that is the ABI of preview 1,
//! which WasmEdge's plug-in has, in a component that of `wit/nn`.

#[cfg(all(target_os = "wasi", target_env = "p2"))]
#[path = "wasi_nn/component.rs"]
mod face;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
#[path = "wasi_nn/preview1.rs"]
mod face;
#[cfg(not(target_os = "wasi"))]
#[path = "wasi_nn/nowhere.rs"]
mod face;

use rten::Value;
use rten_tensor::{AsView as _, Layout as _, Tensor};

/// What the elements of a tensor are; networks that classify pictures have no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "wasi"), expect(dead_code, reason = "there is no host to tell it to"))]
enum Kind {
    Float,
    Byte,
}

/// A network of the host's.
pub(super) struct HostGraph {
    graph: face::Graph,
    /// How many numbers its output has.
    classes: usize,
}

impl HostGraph {
    /// The host's network of that name, else of that content, which tells so many classes apart.
    ///
    /// # Errors
    /// When the host has none; with the reason.
    pub(super) fn of(name: &str, file: &[u8], classes: usize) -> Result<Self, String> {
        Ok(Self { graph: face::Graph::of(name, file)?, classes })
    }

    /// The network's output for an input.
    ///
    /// # Errors
    /// When the host refuses the input, or the network fails.
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
