//! Operators that a network may use.
//!
//! Each operator adds code to the service's module. These are the ones of image classifiers, without sequences, text,
//! random numbers and loops.

use std::borrow::Cow;

use memchr::memmem;
use rten::{OpRegistry, op_registry};
use rten_onnx::onnx::{AttributeProto, AttributeType, ModelProto, NodeProto};

/// RTen 0.27 implements this operator, but omits it from the selectable ones.
const UNLISTED_OPERATOR: &str = "GlobalMaxPool";

/// Returns the operators of image classifiers.
pub(super) fn classifier_operators() -> OpRegistry {
    op_registry!(
        Add,
        AveragePool,
        BatchNormalization,
        Cast,
        Clip,
        Concat,
        Conv,
        ConvInteger,
        DequantizeLinear,
        Div,
        DynamicQuantizeLinear,
        Erf,
        Exp,
        Flatten,
        Gather,
        Gelu,
        Gemm,
        GlobalAveragePool,
        HardSigmoid,
        HardSwish,
        Identity,
        If,
        LayerNormalization,
        LeakyRelu,
        Less,
        LogSoftmax,
        MatMul,
        MatMulInteger,
        Max,
        MaxPool,
        Min,
        Mul,
        Neg,
        Pad,
        Pow,
        QuantizeLinear,
        ReduceMax,
        ReduceMean,
        ReduceMin,
        ReduceSum,
        Relu,
        Reshape,
        Shape,
        Sigmoid,
        Slice,
        Softmax,
        Split,
        Sqrt,
        Squeeze,
        Sub,
        TopK,
        Transpose,
        Unsqueeze
    )
}

/// Replaces operators that cannot be selected with equivalent ones that can.
pub(super) fn with_listed_operators(network: Cow<'static, [u8]>) -> Cow<'static, [u8]> {
    if memmem::find(&network, UNLISTED_OPERATOR.as_bytes()).is_none() {
        return network;
    }
    // An unreadable network is rejected on load, with the reason.
    replace_operators(&network).map_or(network, Cow::Owned)
}

fn replace_operators(network: &[u8]) -> Option<Vec<u8>> {
    let mut model = ModelProto::parse_buf(network).ok()?;
    for node in &mut model.graph.as_mut()?.node {
        if node.op_type.as_deref() == Some(UNLISTED_OPERATOR) {
            largest_of_plane(node);
        }
    }
    model.write_buf().ok()
}

fn largest_of_plane(node: &mut NodeProto) {
    let attribute = |name: &str, kind| AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(kind),
        ..AttributeProto::default()
    };
    node.op_type = Some("ReduceMax".to_owned());
    node.attribute = vec![
        AttributeProto { ints: vec![-2, -1], ..attribute("axes", AttributeType::INTS) },
        AttributeProto { i: Some(1), ..attribute("keepdims", AttributeType::INT) },
    ];
}
