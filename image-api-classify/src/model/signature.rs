//! Facts about a network that need no inference.

use rten::{DataType, Dimension, ValueType};

use super::ModelError;

/// Input and size of a network.
#[derive(Debug, PartialEq)]
pub(super) struct Signature {
    /// Dimensions of the input; `None` where any size is accepted.
    pub(super) shape: Vec<Option<u32>>,
    /// True if the input is bytes; else it is floating-point numbers.
    pub(super) takes_bytes: bool,
    /// Number of weights.
    pub(super) numbers: usize,
}

impl Signature {
    /// Reads the signature of a network loaded by RTen.
    ///
    /// # Errors
    /// If the input is not an image.
    pub(super) fn from_rten(network: &rten::Model) -> Result<Self, ModelError> {
        let id = network.input_ids().first().ok_or_else(|| ModelError::Input("it has none".to_owned()))?;
        let info = network.node_info(*id).ok_or_else(|| ModelError::Input("it is unknown".to_owned()))?;
        let takes_bytes = match info.dtype() {
            Some(ValueType::Tensor(DataType::UInt8)) => true,
            Some(ValueType::Tensor(DataType::Float)) | None => false,
            _ => return Err(ModelError::Input("it takes neither bytes nor floating-point numbers".to_owned())),
        };
        let shape = info.shape().unwrap_or_default().iter().map(fixed_size).collect();
        Ok(Self { shape, takes_bytes, numbers: network.total_params() })
    }

    /// Reads the signature of an ONNX file that the host runs.
    #[cfg(any(feature = "wasi-nn", test))]
    pub(super) fn from_onnx(file: &[u8]) -> Option<Self> {
        use rten_onnx::onnx;

        let graph = onnx::ModelProto::parse_buf(file).ok()?.graph?;
        // Older files list weights among the inputs.
        let is_given = |name: &Option<String>| !graph.initializer.iter().any(|own| own.name == *name);
        let input = graph.input.iter().find(|input| is_given(&input.name))?.r#type.as_ref()?.tensor_type.as_ref()?;
        let takes_bytes = match input.elem_type? {
            onnx::DataType::UINT8 => true,
            onnx::DataType::FLOAT => false,
            _ => return None,
        };
        let size = |dimension: &onnx::Dimension| dimension.dim_value.and_then(|size| u32::try_from(size).ok());
        let shape = input.shape.as_ref().map(|shape| shape.dim.iter().map(size).collect()).unwrap_or_default();
        let numbers = |tensor: &onnx::TensorProto| {
            tensor.dims.iter().fold(1_usize, |all, size| all.saturating_mul(usize::try_from(*size).unwrap_or(0)))
        };
        Some(Self { shape, takes_bytes, numbers: graph.initializer.iter().map(numbers).sum() })
    }
}

fn fixed_size(dimension: &Dimension) -> Option<u32> {
    match dimension {
        Dimension::Fixed(size) => u32::try_from(*size).ok(),
        Dimension::Symbolic(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onnx_and_rten_signatures_agree() {
        let file = include_bytes!("../../../models/default/model.onnx");
        let read = Signature::from_onnx(file).unwrap();
        let loaded = Signature::from_rten(&rten::Model::load(file.to_vec()).unwrap()).unwrap();
        assert_eq!((&read.shape, read.takes_bytes), (&loaded.shape, loaded.takes_bytes));
        assert!(read.numbers > 0 && Signature::from_onnx(b"no network").is_none());
    }
}
