//! What a network may compute. Each operator is code in the service's module; these are what networks that classify
//! pictures are made of, and leave out sequences, text, random numbers and loops.

use std::borrow::Cow;

use memchr::memmem;
use rten::{OpRegistry, op_registry};
use rten_onnx::onnx::{AttributeProto, AttributeType, ModelProto, NodeProto};

/// RTen 0.27 computes it, and forgot it in the list of operators that one may choose from.
const FORGOTTEN: &str = "GlobalMaxPool";

/// The operators of classifiers.
pub(super) fn of_classifiers() -> OpRegistry {
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

/// The network with an operator that can be chosen in the place of the one that cannot.
pub(super) fn chosen(network: Cow<'static, [u8]>) -> Cow<'static, [u8]> {
    if memmem::find(&network, FORGOTTEN.as_bytes()).is_none() {
        return network;
    }
    // What cannot be read is refused when it is loaded, with the reason.
    replaced(&network).map_or(network, Cow::Owned)
}

fn replaced(network: &[u8]) -> Option<Vec<u8>> {
    let mut model = ModelProto::parse_buf(network).ok()?;
    for node in &mut model.graph.as_mut()?.node {
        if node.op_type.as_deref() == Some(FORGOTTEN) {
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
