//! Converts EfficientNet-Lite0's weights to ONNX: the layers of the published network.
//!
//! Batch norms are folded into the preceding convolutions. The filters of 1x1 convolutions, nearly all of the weights,
//! are stored as bytes with a scale and a zero for each output channel. The others stay floating-point numbers: as
//! bytes they would save a tenth of the file, and change the results more than all the rest. All inference is in
//! floating point.

use rten_onnx::onnx::{DataType, ModelProto};

use crate::directory::ImportError;
use crate::graph::Attribute::{Int, Ints};
use crate::graph::{Graph, Port};
use crate::pytorch::StateDict;

/// Side length of the input image.
const SIDE: usize = 224;

/// Channels of the first and the last convolution.
const STEM: usize = 32;
const HEAD: usize = 1280;

/// Number of classes.
const CLASSES: usize = 1000;

/// Added to a variance before division.
const EPSILON: f32 = 1e-3;

/// Consecutive blocks of one shape. Only the first has the stride.
struct Stage {
    blocks: usize,
    kernel: usize,
    stride: usize,
    /// Factor by which a block expands its channels.
    expansion: usize,
    channels: usize,
}

const fn stage(blocks: usize, kernel: usize, stride: usize, expansion: usize, channels: usize) -> Stage {
    Stage { blocks, kernel, stride, expansion, channels }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

/// A convolution and its batch norm.
struct Layer<'a> {
    weight: String,
    norm: String,
    filters: usize,
    /// Input channels of each filter.
    depth: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
    input: &'a str,
    /// Side length of the layer's input.
    side: usize,
}

/// Builds the network. Its input is colours from 0 to 1, minus 127/255, divided by 128/255; its output is logits.
///
/// # Errors
/// If weights are missing or have other shapes.
pub(crate) fn network(weights: &StateDict) -> Result<ModelProto, ImportError> {
    let mut network = Network { weights, graph: Graph::default() };
    let stem = Layer {
        weight: "_conv_stem.weight".to_owned(),
        norm: "_bn0".to_owned(),
        filters: STEM,
        depth: 3,
        kernel: 3,
        stride: 2,
        groups: 1,
        input: "picture",
        side: SIDE,
    };
    let mut value = network.add_activation(&stem)?;
    let (mut side, mut channels, mut number) = (SIDE.div_ceil(2), STEM, 0);
    for stage in &STAGES {
        for block in 0..stage.blocks {
            let stride = if block == 0 { stage.stride } else { 1 };
            value = network.block(number, stage, &value, Shape { channels, side, stride })?;
            (side, channels, number) = (side.div_ceil(stride), stage.channels, number + 1);
        }
    }
    let head = Layer { norm: "_bn1".to_owned(), ..pointwise("_conv_head", HEAD, channels, &value, side) };
    let value = network.add_activation(&head)?;
    network.classifier(&value)?;
    let port = |name, shape| Port { name, kind: DataType::FLOAT, shape };
    let side = SIDE as i64;
    Ok(network.graph.finish(port("picture", &[1, 3, side, side]), port("logits", &[1, CLASSES as i64])))
}

/// Input shape of a block.
#[derive(Clone, Copy)]
struct Shape {
    channels: usize,
    side: usize,
    stride: usize,
}

/// Creates a 1x1 convolution.
fn pointwise<'a>(name: &str, filters: usize, depth: usize, input: &'a str, side: usize) -> Layer<'a> {
    let (weight, norm) = (format!("{name}.weight"), String::new());
    Layer { weight, norm, filters, depth, kernel: 1, stride: 1, groups: 1, input, side }
}

struct Network<'a> {
    weights: &'a StateDict,
    graph: Graph,
}

impl Network<'_> {
    /// Adds a block: expansion, depthwise convolution and projection, with a residual connection if the shape stays.
    fn block(&mut self, number: usize, stage: &Stage, input: &str, shape: Shape) -> Result<String, ImportError> {
        let Shape { channels, side, stride } = shape;
        let name = |layer: &str| format!("_blocks.{number}.{layer}");
        let inside = channels * stage.expansion;
        let mut value = input.to_owned();
        if stage.expansion > 1 {
            let expand = pointwise(&name("_expand_conv"), inside, channels, input, side);
            value = self.add_activation(&Layer { norm: name("_bn0"), ..expand })?;
        }
        let depthwise = Layer {
            weight: name("_depthwise_conv.weight"),
            norm: name("_bn1"),
            filters: inside,
            depth: 1,
            kernel: stage.kernel,
            stride,
            groups: inside,
            input: &value,
            side,
        };
        let value = self.add_activation(&depthwise)?;
        let project = pointwise(&name("_project_conv"), stage.channels, inside, &value, side.div_ceil(stride));
        let output = self.convolution(&Layer { norm: name("_bn2"), ..project })?;
        let same = stride == 1 && channels == stage.channels;
        Ok(if same { self.graph.node("Add", &[&output, input], vec![]) } else { output })
    }

    fn add_activation(&mut self, layer: &Layer<'_>) -> Result<String, ImportError> {
        let value = self.convolution(layer)?;
        let (least, most) = (self.graph.floats(&[0.0], &[]), self.graph.floats(&[6.0], &[]));
        Ok(self.graph.node("Clip", &[&value, &least, &most], vec![]))
    }

    fn convolution(&mut self, layer: &Layer<'_>) -> Result<String, ImportError> {
        let Layer { filters, depth, kernel, stride, groups, .. } = *layer;
        let weight = self.weights.tensor(&layer.weight, &[filters, depth, kernel, kernel])?;
        let of_norm = |name: &str| {
            self.weights.tensor(&format!("{}.{name}", layer.norm), &[filters]).map(|tensor| tensor.values.as_slice())
        };
        let (scale, shift) = (of_norm("weight")?, of_norm("bias")?);
        let (mean, variance) = (of_norm("running_mean")?, of_norm("running_var")?);
        let factors: Vec<f32> =
            scale.iter().zip(variance).map(|(scale, variance)| scale / (variance + EPSILON).sqrt()).collect();
        let biases: Vec<f32> =
            shift.iter().zip(mean).zip(&factors).map(|((shift, mean), factor)| shift - mean * factor).collect();
        let each = depth * kernel * kernel;
        let folded: Vec<f32> = weight
            .values
            .chunks(each)
            .zip(&factors)
            .flat_map(|(filter, factor)| filter.iter().map(move |value| value * factor))
            .collect();
        let shape = [filters, depth, kernel, kernel].map(|size| size as i64);
        let weight = if kernel == 1 { self.bytes(&folded, each, &shape) } else { self.graph.floats(&folded, &shape) };
        let bias = self.graph.floats(&biases, &[filters as i64]);
        // Zero padding as in TensorFlow, with the odd row and column at the end.
        let missing = ((layer.side.div_ceil(stride) - 1) * stride + kernel).saturating_sub(layer.side) as i64;
        let (before, after) = (missing / 2, missing - missing / 2);
        let attributes = vec![
            ("kernel_shape", Ints(vec![kernel as i64; 2])),
            ("strides", Ints(vec![stride as i64; 2])),
            ("pads", Ints(vec![before, before, after, after])),
            ("group", Int(groups as i64)),
        ];
        Ok(self.graph.node("Conv", &[layer.input, &weight, &bias], attributes))
    }

    fn classifier(&mut self, input: &str) -> Result<(), ImportError> {
        let weight = self.weights.tensor("_fc.weight", &[CLASSES, HEAD])?;
        let bias = self.weights.tensor("_fc.bias", &[CLASSES])?;
        let mean = self.graph.node("GlobalAveragePool", &[input], vec![]);
        let mean = self.graph.node("Flatten", &[&mean], vec![]);
        let weight = self.bytes(&weight.values, HEAD, &[CLASSES as i64, HEAD as i64]);
        let bias = self.graph.floats(&bias.values, &[CLASSES as i64]);
        self.graph.node("Gemm", &[&mean, &weight, &bias], vec![("transB", Int(1))]);
        Ok(())
    }

    /// Adds filters of `each` numbers, quantised to bytes.
    fn bytes(&mut self, values: &[f32], each: usize, shape: &[i64]) -> String {
        let Quantized { bytes, scales, zeros } = Quantized::new(values, each);
        let count = scales.len() as i64;
        let (bytes, scales) = (self.graph.bytes(bytes, shape), self.graph.floats(&scales, &[count]));
        let zeros = self.graph.bytes(zeros, &[count]);
        self.graph.node("DequantizeLinear", &[&bytes, &scales, &zeros], vec![("axis", Int(0))])
    }
}

/// Quantised filters: a number is its byte minus the filter's zero, times the filter's scale.
struct Quantized {
    bytes: Vec<u8>,
    scales: Vec<f32>,
    zeros: Vec<u8>,
}

impl Quantized {
    fn new(values: &[f32], each: usize) -> Self {
        let mut quantized = Self { bytes: Vec::with_capacity(values.len()), scales: Vec::new(), zeros: Vec::new() };
        for filter in values.chunks(each) {
            let (least, most) =
                filter.iter().fold((0.0_f32, 0.0_f32), |(least, most), value| (least.min(*value), most.max(*value)));
            let scale = if most > least { (most - least) / 255.0 } else { 1.0 };
            let zero = (-least / scale).round();
            quantized.bytes.extend(filter.iter().map(|value| ((value / scale).round() + zero) as u8));
            quantized.scales.push(scale);
            quantized.zeros.push(zero as u8);
        }
        quantized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantised_filters_are_off_by_half_a_step_at_most() {
        let values = [0.5, -0.25, 0.1, 0.0, 0.0, 0.0, -3.0, -1.0, -2.0, 7.0, 1.0, 0.01];
        let Quantized { bytes, scales, zeros } = Quantized::new(&values, 3);
        for (at, (value, byte)) in values.iter().zip(&bytes).enumerate() {
            let (scale, zero) = (scales[at / 3], f32::from(zeros[at / 3]));
            assert!(((f32::from(*byte) - zero) * scale - value).abs() <= scale / 2.0 * 1.001, "{value}");
        }
        assert_eq!(bytes[3..6], [zeros[1]; 3], "nothing stays nothing");
    }

    #[test]
    fn missing_or_misshapen_weights_are_named() {
        let error = network(&StateDict::default()).err().unwrap().to_string();
        assert!(error.contains("_conv_stem.weight is missing"), "{error}");
    }
}
