//! Converts TensorFlow Lite's operators to ONNX.
//!
//! Quantised values become floating-point numbers; weights stay bytes in the file, with the scales that dequantise them
//! on load.

use rten_onnx::onnx::{DataType, ModelProto};

use crate::directory::ImportError;
use crate::flatbuffer::{Damaged, Table};
use crate::graph::Attribute::{Int, Ints};
use crate::graph::{Graph, Port};
use crate::tflite::{INT32, Model, Operator, Tensor, UINT8};

const ADD: i32 = 0;
const AVERAGE_POOL_2D: i32 = 1;
const CONV_2D: i32 = 3;
const DEPTHWISE_CONV_2D: i32 = 4;
const RESHAPE: i32 = 22;
const SOFTMAX: i32 = 25;

/// The only padding besides none.
const SAME: u8 = 0;

/// Permutations from NHWC to NCHW, and back.
const TO_PLANES: [i64; 4] = [0, 3, 1, 2];
const TO_PIXELS: [i64; 4] = [0, 2, 3, 1];

struct Conversion<'a> {
    model: &'a Model<'a>,
    graph: Graph,
    /// Names of the tensors converted so far.
    names: Vec<Option<String>>,
}

/// Converts a model.
pub(crate) fn convert_model(model: &Model<'_>) -> Result<ModelProto, ImportError> {
    let (&[input], &[output]) = (model.inputs.as_slice(), model.outputs.as_slice()) else {
        return Err(ImportError::Unsupported("it has not one input and one output".to_owned()));
    };
    let names = vec![None; model.tensors.len()];
    let mut conversion = Conversion { model, graph: Graph::default(), names };
    conversion.begin(input)?;
    for operator in &model.operators {
        conversion.convert(operator)?;
    }
    conversion.end(output)?;
    let (from, to) = (conversion.tensor(input)?, conversion.tensor(output)?);
    let port = |name, shape| Port { name, kind: DataType::UINT8, shape };
    Ok(conversion.graph.finish(port("picture", &from.shape), port("scores", &to.shape)))
}

impl<'a> Conversion<'a> {
    fn tensor(&self, number: usize) -> Result<&'a Tensor<'a>, Damaged> {
        self.model.tensors.get(number).ok_or(Damaged)
    }

    fn name(&self, number: usize) -> Result<String, Damaged> {
        self.names.get(number).cloned().flatten().ok_or(Damaged)
    }

    fn give(&mut self, operator: &Operator<'_>, name: String) -> Result<(), ImportError> {
        let output = operator.outputs.first().and_then(|number| self.names.get_mut(*number)).ok_or(Damaged)?;
        *output = Some(name);
        Ok(())
    }

    /// Converts an input image of bytes to planes of numbers.
    fn begin(&mut self, input: usize) -> Result<(), ImportError> {
        let tensor = self.tensor(input)?;
        let (scale, zero) = byte_quantisation(tensor, "its input")?;
        let (scale, zero) = (self.graph.floats(&[scale], &[]), self.graph.bytes(vec![zero], &[]));
        let numbers = self.graph.node("DequantizeLinear", &["picture", &scale, &zero], vec![]);
        let planes = self.graph.node("Transpose", &[&numbers], vec![("perm", Ints(TO_PLANES.to_vec()))]);
        *self.names.get_mut(input).ok_or(Damaged)? = Some(planes);
        Ok(())
    }

    /// Converts the output back to bytes, with the model's own step size.
    fn end(&mut self, output: usize) -> Result<(), ImportError> {
        let (scale, zero) = byte_quantisation(self.tensor(output)?, "its output")?;
        let (scale, zero) = (self.graph.floats(&[scale], &[]), self.graph.bytes(vec![zero], &[]));
        let last = self.name(output)?;
        self.graph.node("QuantizeLinear", &[&last, &scale, &zero], vec![]);
        Ok(())
    }

    fn convert(&mut self, operator: &Operator<'_>) -> Result<(), ImportError> {
        let input = operator.inputs.first().copied().ok_or(Damaged)?;
        let name = self.name(input)?;
        let options = operator.options;
        let output = match operator.code {
            ADD => {
                let other = self.name(operator.inputs.get(1).copied().ok_or(Damaged)?)?;
                let sum = self.graph.node("Add", &[&name, &other], vec![]);
                self.add_activation(sum, options, 0)?
            }
            AVERAGE_POOL_2D => self.pool(&name, input, options.ok_or(Damaged)?)?,
            CONV_2D => self.convolution(operator, false)?,
            DEPTHWISE_CONV_2D => self.convolution(operator, true)?,
            RESHAPE => {
                let shape = self.tensor(operator.outputs.first().copied().ok_or(Damaged)?)?.shape.clone();
                let flat = if self.tensor(input)?.shape.len() == 4 {
                    self.graph.node("Transpose", &[&name], vec![("perm", Ints(TO_PIXELS.to_vec()))])
                } else {
                    name
                };
                let shape = self.graph.longs(&shape);
                self.graph.node("Reshape", &[&flat, &shape], vec![])
            }
            SOFTMAX => self.graph.node("Softmax", &[&name], vec![("axis", Int(-1))]),
            code => {
                return Err(ImportError::Unsupported(format!(
                    "it has an operator (number {code}) that is not converted"
                )));
            }
        };
        let output = self.requantise(operator, output)?;
        self.give(operator, output)
    }

    /// Rounds values outside of planes that the original keeps in bytes to the same steps.
    ///
    /// For a thousand scores, half a step is a few hundredths of a probability, and rounding costs nothing. On planes
    /// it would cost more than it changes.
    fn requantise(&mut self, operator: &Operator<'_>, name: String) -> Result<String, ImportError> {
        let tensor = self.tensor(operator.outputs.first().copied().ok_or(Damaged)?)?;
        let computes = matches!(operator.code, AVERAGE_POOL_2D | CONV_2D);
        let &[_, 1, 1, _] = tensor.shape.as_slice() else { return Ok(name) };
        let Some((scale, zero)) = tensor.quantisation().filter(|_| computes && tensor.kind == UINT8) else {
            return Ok(name);
        };
        let (scale, zero) = (self.graph.floats(&[scale], &[]), self.graph.bytes(vec![zero], &[]));
        let bytes = self.graph.node("QuantizeLinear", &[&name, &scale, &zero], vec![]);
        Ok(self.graph.node("DequantizeLinear", &[&bytes, &scale, &zero], vec![]))
    }

    fn convolution(&mut self, operator: &Operator<'_>, depthwise: bool) -> Result<String, ImportError> {
        let &[input, weights, bias] = operator.inputs.as_slice() else {
            return Err(ImportError::Unsupported("a convolution has no bias".to_owned()));
        };
        let options = operator.options.ok_or(Damaged)?;
        let (name, weights, bias) = (self.name(input)?, self.tensor(weights)?, self.tensor(bias)?);
        let &[outer, height, width, inner] = weights.shape.as_slice() else { return Err(Damaged.into()) };
        let (scale, zero) = byte_quantisation(weights, "the weights of a convolution")?;
        // Both kinds become filters, each of planes.
        let (axes, filters, groups) = if depthwise { ([3, 0, 1, 2], inner, inner) } else { ([0, 3, 1, 2], outer, 1) };
        let from = [outer, height, width, inner];
        let bytes = permute(weights.contents, from, axes).ok_or(Damaged)?;
        let shape = axes.map(|axis: usize| from.get(axis).copied().unwrap_or_default());
        let (bytes, zero) = (self.graph.bytes(bytes, &shape), self.graph.bytes(vec![zero], &[]));
        let scale = self.graph.floats(&[scale], &[]);
        let kernel = self.graph.node("DequantizeLinear", &[&bytes, &scale, &zero], vec![]);
        let bias = biases(bias)?;
        let bias = self.graph.floats(&bias, &[filters]);
        let (activation, dilation) = if depthwise { (4, [6, 5]) } else { (3, [5, 4]) };
        let dilation = [options.int(dilation[0])?.max(1), options.int(dilation[1])?.max(1)];
        let mut attributes = self.window(input, options, [height, width], dilation)?;
        attributes.push(("group", Int(groups)));
        attributes.push(("dilations", Ints(dilation.map(i64::from).to_vec())));
        let convolved = self.graph.node("Conv", &[&name, &kernel, &bias], attributes);
        self.add_activation(convolved, Some(options), activation)
    }

    fn pool(&mut self, name: &str, input: usize, options: Table<'_>) -> Result<String, ImportError> {
        let window = [i64::from(options.int(4)?), i64::from(options.int(3)?)];
        let attributes = self.window(input, options, window, [1, 1])?;
        let pooled = self.graph.node("AveragePool", &[name], attributes);
        self.add_activation(pooled, Some(options), 5)
    }

    /// Returns size, steps and padding of a sliding window.
    fn window(
        &self,
        input: usize,
        options: Table<'_>,
        size: [i64; 2],
        dilation: [i32; 2],
    ) -> Result<Vec<(&'static str, crate::graph::Attribute)>, ImportError> {
        let &[_, height, width, _] = self.tensor(input)?.shape.as_slice() else { return Err(Damaged.into()) };
        let strides = [i64::from(options.int(2)?), i64::from(options.int(1)?)];
        if strides.iter().chain(&size).any(|value| *value < 1) {
            return Err(Damaged.into());
        }
        let (mut begin, mut end) = (Vec::new(), Vec::new());
        for (((side, size), stride), dilation) in [height, width].into_iter().zip(size).zip(strides).zip(dilation) {
            let reach = (size - 1) * i64::from(dilation) + 1;
            let missing = (((side + stride - 1) / stride - 1) * stride + reach - side).max(0);
            let missing = if options.byte(0)? == SAME { missing } else { 0 };
            begin.push(missing / 2);
            end.push(missing - missing / 2);
        }
        begin.extend(end);
        Ok(vec![("kernel_shape", Ints(size.to_vec())), ("strides", Ints(strides.to_vec())), ("pads", Ints(begin))])
    }

    /// Adds the activation that is fused into an operator.
    fn add_activation(
        &mut self,
        name: String,
        options: Option<Table<'_>>,
        field: usize,
    ) -> Result<String, ImportError> {
        match options.map_or(Ok(0), |options| options.byte(field))? {
            0 => Ok(name),
            1 => Ok(self.graph.node("Relu", &[&name], vec![])),
            3 => {
                let (least, most) = (self.graph.floats(&[0.0], &[]), self.graph.floats(&[6.0], &[]));
                Ok(self.graph.node("Clip", &[&name, &least, &most], vec![]))
            }
            other => {
                Err(ImportError::Unsupported(format!("it has an activation (number {other}) that is not converted")))
            }
        }
    }
}

fn byte_quantisation(tensor: &Tensor<'_>, what: &str) -> Result<(f32, u8), ImportError> {
    let quantisation = tensor.quantisation().filter(|_| tensor.kind == UINT8);
    quantisation.ok_or_else(|| ImportError::Unsupported(format!("{what}: only bytes with one scale are converted")))
}

fn biases(tensor: &Tensor<'_>) -> Result<Vec<f32>, ImportError> {
    let &[scale] = tensor.scales.as_slice() else { return Err(Damaged.into()) };
    if tensor.kind != INT32 {
        return Err(ImportError::Unsupported("a bias is not of whole numbers".to_owned()));
    }
    let (numbers, _) = tensor.contents.as_chunks();
    Ok(numbers.iter().map(|number| i32::from_le_bytes(*number) as f32 * scale).collect())
}

/// Permutes the dimensions of a tensor of bytes.
fn permute(bytes: &[u8], shape: [i64; 4], axes: [usize; 4]) -> Option<Vec<u8>> {
    let sizes = shape.map(|size| usize::try_from(size).unwrap_or(0));
    let steps = [sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1];
    let size = |place: usize| axes.get(place).and_then(|axis| sizes.get(*axis)).copied().unwrap_or(0);
    let step = |place: usize| axes.get(place).and_then(|axis| steps.get(*axis)).copied().unwrap_or(0);
    let mut moved = Vec::with_capacity(bytes.len());
    for a in 0..size(0) {
        for b in 0..size(1) {
            for c in 0..size(2) {
                for d in 0..size(3) {
                    moved.push(*bytes.get(a * step(0) + b * step(1) + c * step(2) + d * step(3))?);
                }
            }
        }
    }
    (moved.len() == bytes.len()).then_some(moved)
}
