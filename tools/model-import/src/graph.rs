//! Builder of an ONNX graph.

use std::cell::RefCell;

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

/// Versions that RTen and much older runtimes support.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// Nodes in order, and their constants.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

/// Value of a node's attribute.
pub(crate) enum Attribute {
    Int(i64),
    Ints(Vec<i64>),
}

/// Input or output of a network.
#[derive(Clone, Copy)]
pub(crate) struct Port<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: DataType,
    pub(crate) shape: &'a [i64],
}

impl Graph {
    /// Adds a node, and returns the name of its output.
    pub(crate) fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<(&str, Attribute)>) -> String {
        let name = format!("{}_{}", operator.to_lowercase(), self.nodes.len());
        self.nodes.push(NodeProto {
            name: Some(name.clone()),
            op_type: Some(operator.to_owned()),
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![name.clone()],
            attribute: attributes.into_iter().map(|(name, value)| attribute(name, value)).collect(),
            domain: None,
        });
        name
    }

    pub(crate) fn floats(&mut self, values: &[f32], shape: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::FLOAT, bytes, shape)
    }

    pub(crate) fn longs(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::INT64, bytes, &[values.len() as i64])
    }

    pub(crate) fn bytes(&mut self, values: Vec<u8>, shape: &[i64]) -> String {
        self.constant(DataType::UINT8, values, shape)
    }

    fn constant(&mut self, kind: DataType, bytes: Vec<u8>, shape: &[i64]) -> String {
        let name = format!("constant_{}", self.constants.len());
        self.constants.push(TensorProto {
            name: Some(name.clone()),
            dims: shape.to_vec(),
            data_type: Some(kind),
            raw_data: Some(RefCell::new(bytes)),
            ..TensorProto::default()
        });
        name
    }

    /// Builds the model with this input and output.
    pub(crate) fn finish(mut self, input: Port<'_>, output: Port<'_>) -> ModelProto {
        if let Some(last) = self.nodes.last_mut() {
            last.output = vec![output.name.to_owned()];
        }
        let graph = GraphProto {
            node: self.nodes,
            initializer: self.constants,
            input: vec![value(input)],
            output: vec![value(output)],
            value_info: Vec::new(),
        };
        ModelProto {
            ir_version: Some(IR_VERSION),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto { domain: None, version: Some(OPSET) }],
            producer_name: Some(env!("CARGO_PKG_NAME").to_owned()),
            ..ModelProto::default()
        }
    }
}

fn attribute(name: &str, value: Attribute) -> AttributeProto {
    let name = Some(name.to_owned());
    match value {
        Attribute::Int(number) => {
            AttributeProto { name, i: Some(number), r#type: Some(AttributeType::INT), ..AttributeProto::default() }
        }
        Attribute::Ints(ints) => {
            AttributeProto { name, ints, r#type: Some(AttributeType::INTS), ..AttributeProto::default() }
        }
    }
}

fn value(port: Port<'_>) -> ValueInfoProto {
    let dim = port.shape.iter().map(|size| Dimension { dim_value: Some(*size), dim_param: None }).collect();
    let tensor = TypeProtoTensor { elem_type: Some(port.kind), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: Some(port.name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor), ..TypeProto::default() }),
    }
}
