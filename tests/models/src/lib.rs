//! Small ONNX networks for tests.

#![expect(clippy::expect_used, reason = "helpers of tests fail them by panicking")]

use std::cell::RefCell;

use rten_onnx::onnx::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, TypeProtoTensor, ValueInfoProto,
};

fn value(name: &str, dimensions: &[i64]) -> ValueInfoProto {
    let dim = dimensions.iter().map(|size| Dimension { dim_value: Some(*size), dim_param: None }).collect();
    let tensor = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor), ..TypeProto::default() }),
    }
}

/// Creates a node with a single output, which is also its name.
#[must_use]
pub fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: Some(operator.to_owned()),
        input: inputs.iter().map(|it| (*it).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(output.to_owned()),
        ..NodeProto::default()
    }
}

fn number(name: &str, value: f32) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: vec![1],
        data_type: Some(DataType::FLOAT),
        raw_data: Some(RefCell::new(value.to_le_bytes().to_vec())),
        ..TensorProto::default()
    }
}

/// Returns the bytes of `model.onnx`.
///
/// `nodes` lie between an input `picture` of that size and an output `scores` of three numbers. `ten` is an additional
/// constant.
///
/// # Panics
/// Never in practice.
#[must_use]
pub fn network(input: &[i64], nodes: Vec<NodeProto>) -> Vec<u8> {
    let graph = GraphProto {
        node: nodes,
        initializer: vec![number("ten", 10.0)],
        input: vec![value("picture", input)],
        output: vec![value("scores", &[1, 3])],
        value_info: Vec::new(),
    };
    let opset = OperatorSetIdProto { domain: None, version: Some(17) };
    let model =
        ModelProto { ir_version: Some(8), graph: Some(graph), opset_import: vec![opset], ..ModelProto::default() };
    model.write_buf().expect("writing to memory")
}

/// Matrix products in [`slow`], one after the other.
const PRODUCTS: usize = 300;

/// Creates a network that takes some hundred milliseconds: it repeatedly multiplies an image of 1 x 3 x 224 x 224 with
/// itself.
#[must_use]
pub fn slow() -> Vec<u8> {
    let mut nodes = Vec::new();
    let mut last = "picture".to_owned();
    for number in 0..PRODUCTS {
        let (product, scaled) = (format!("product {number}"), format!("scaled {number}"));
        nodes.push(node("MatMul", &[&last, &last], &product));
        // Without this, numbers would soon be infinite.
        nodes.push(node("Softmax", &[&product], &scaled));
        last = scaled;
    }
    nodes.push(node("GlobalAveragePool", &[&last], "mean"));
    nodes.push(node("Flatten", &["mean"], "scores"));
    network(&[1, 3, 224, 224], nodes)
}
