"""Writes a trained network as ONNX, from the plainest operators.

The normalisation of pictures and the calibration of confidence are inside, so that whoever runs the file can forget neither.
Batch normalisation is folded away. Weights of convolutions are stored as bytes, which a runtime turns back into floating-point
numbers when it loads the file: the file is a quarter of the size, and computing is as fast as before.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import data
from network import DEVIATION, MEAN

# What RTen 0.27 and much older runtimes read.
OPSET = 17
IR_VERSION = 8

INPUT, OUTPUT = "picture", "logits"


class Graph:
    """Nodes in order, and the constants that they take."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values, name):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def activation(self, x):
        return self.node("Mul", x, self.node("Sigmoid", x))

    def bytes(self, weights, name):
        """Weights as bytes with a scale for each output channel, and what makes them weights again."""
        scale = np.maximum(np.abs(weights).max(axis=(1, 2, 3)), 1e-12) / 127
        small = np.clip(np.rint(weights / scale[:, None, None, None]), -127, 127).astype(np.int8)
        scale = self.constant(scale.astype(np.float32), f"{name}_scale")
        nought = self.constant(np.zeros(len(small), np.int8), f"{name}_zero")
        return self.node("DequantizeLinear", self.constant(small, f"{name}_bytes"), scale, nought, axis=0)

    def convolution(self, x, convolution, name):
        weights, bias = (part.detach().numpy() for part in convolution.folded())
        weights, bias = self.bytes(weights, name), self.constant(bias, f"{name}_bias")
        return self.activation(self.node("Conv", x, weights, bias, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))


def model_of(network, temperature, about):
    """The network as an ONNX model whose logits are calibrated; `about` are texts that the file shall carry."""
    graph = Graph()
    mean, deviation = (np.array(values, np.float32).reshape(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    x = graph.node("Mul", INPUT, graph.constant(1 / deviation, "normal_scale"))
    x = graph.node("Add", x, graph.constant(-mean / deviation, "normal_shift"))
    stem = [graph.constant(part.detach().numpy(), name) for part, name in zip(network.stem.parameters(), ("stem", "stem_bias"))]
    x = graph.activation(graph.node("Conv", x, *stem, kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1]))
    for place, stage in enumerate(network.stages):
        if place:
            x = graph.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        x = graph.convolution(x, stage.widen, f"widen{place}")
        x = graph.node("Add", x, graph.convolution(x, stage.refine, f"refine{place}"))
    x = graph.node("Flatten", graph.node("GlobalMaxPool", x))
    graph.node("MatMul", x, graph.constant(network.head.weight.detach().numpy().T / np.float32(temperature), "head"))
    graph.nodes[-1].output[0] = OUTPUT
    return finished(graph, network.head.out_features, about)


def finished(graph, classes, about):
    """The model, checked."""
    picture = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 3, data.SIDE, data.SIDE])
    logits = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", classes])
    body = helper.make_graph(graph.nodes, "classifier", [picture], [logits], graph.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="models/train")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    return model
