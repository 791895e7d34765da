"""Exports a trained network as ONNX, with only basic operators.

Normalisation of the image, a second look in uncertain cases and calibration of the confidence are part of the network,
so that no runtime can omit them. Batch normalisation is folded away. Weights of convolutions are stored as bytes, which
a runtime converts back to floating-point numbers when it loads the file: the file is a quarter of the size, and
inference as fast as before. `winograd.py` turns convolutions into matrix products.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import data
import winograd
from network import DEVIATION, MEAN

# Versions that RTen 0.27 and much older runtimes support.
OPSET = 17
IR_VERSION = 8

INPUT, OUTPUT = "picture", "logits"

# If the best logit leads the next by less than this, as trained, the mirrored image is also evaluated, and the mean of
# both results is right more often. This affects a fifth of held-out images; a second look at all would gain nothing
# more.
LEAD = 1.5


class Graph:
    """Nodes in order, and their constants. A branch has its own nodes, and shares the weights of the whole."""

    def __init__(self, whole=None):
        self.whole, self.nodes, self.constants, self.weights = whole or self, [], {}, {}

    def constant(self, values, name):
        self.whole.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def node(self, kind, *inputs, outputs=1, **attributes):
        name = f"{'' if self.whole is self else 'again_'}{kind.lower()}_{len(self.nodes)}"
        names = [name, *(f"{name}_{number}" for number in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return name

    def activation(self, x):
        return self.node("Mul", x, self.node("Sigmoid", x))

    def integers(self, *values):
        """Adds a constant of indices, shapes and similar."""
        return self.constant(np.array(values, np.int64), "integers_" + "_".join(map(str, values)))

    def split(self, x, count):
        """Splits the first axis into slices of one."""
        first = self.node("Split", x, outputs=count, axis=0)
        return [first, *(f"{first}_{number}" for number in range(1, count))]

    def slices(self, x, axis, ranges, step=1):
        """Slices an axis from one index to another."""
        steps = (self.integers(axis), self.integers(step)) if step != 1 else (self.integers(axis),)
        return [self.node("Slice", x, self.integers(start), self.integers(end), *steps) for start, end in ranges]

    def gathered(self, x, axis, places):
        """Gathers the given indices of an axis, row by row."""
        places = np.array(places, np.int64)
        name = "places_" + "_".join(map(str, (*places[0], *places[-1])))
        return self.node("Gather", x, self.constant(places, name), axis=axis)

    def bytes(self, weights, name):
        """Adds weights as bytes with a scale for each output channel, which is a column, and their dequantisation."""
        whole = self.whole
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-12) / 127
        small = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
        scale = whole.constant(scale.astype(np.float32), f"{name}_scale")
        nought = whole.constant(np.zeros(small.shape[1], np.int8), f"{name}_zero")
        return whole.node("DequantizeLinear", whole.constant(small, f"{name}_bytes"), scale, nought, axis=1)

    def convolution(self, x, convolution, name, side):
        """Adds one layer of the network, which halves the side if it pools."""
        weights, bias = (part.detach().numpy() for part in convolution.folded())
        wanted = side - side % 2 if convolution.pools else side
        x = winograd.convolution(self, x, weights, name, side, wanted)
        if convolution.pools:
            x = self.largest(x, [(0, wanted), (1, wanted)], 2)
        return self.activation(self.node("Add", x, self.constant(bias, f"{name}_bias")))

    def largest(self, x, ranges, step=1):
        """Adds the maximum of pixels at these offsets in rows and columns."""
        for axis in 1, 2:
            x = self.node("Max", *self.slices(x, axis, ranges, step))
        return x


def model_of(network, temperature, about):
    """Exports the network as an ONNX model with calibrated logits; `about` are texts of the file's metadata."""
    graph = Graph()
    first = look(graph, network, INPUT, temperature)
    best = graph.node("TopK", first, graph.constant(np.array([2], np.int64), "two"), outputs=2, axis=1)
    lead = graph.node("Sub", graph.node("ReduceMax", best, axes=[1]), graph.node("ReduceMin", best, axes=[1]))
    least = graph.node("ReduceMin", lead, keepdims=0)
    is_close = graph.node("Less", least, graph.constant(np.array(LEAD / temperature, np.float32), "lead"))
    again, enough = Graph(graph), Graph(graph)
    mirrored = again.slices(INPUT, 3, [(-1, -(2**31))], -1)[0]
    second = look(again, network, mirrored, temperature)
    again.node("Mul", again.node("Add", first, second), graph.constant(np.array(0.5, np.float32), "half"))
    enough.node("Identity", first)
    branches = {"then_branch": branch(again, "second_look"), "else_branch": branch(enough, "one_look")}
    graph.node("If", is_close, **branches)
    graph.nodes[-1].output[0] = OUTPUT
    return finished(graph, network.head.out_features, about)


def look(graph, network, x, temperature):
    """Adds the calibrated logits of an image."""
    stem, bias = (part.detach().numpy() for part in network.stem.parameters())
    mean, deviation = (np.array(values, np.float32)[:, None, None] for values in (MEAN, DEVIATION))
    stem = stem / deviation
    bias = bias - (stem * mean).sum(axis=(1, 2, 3))
    side = data.SIDE - 1
    both = [(0, side), (1, side + 1)]
    patches = [part for row in graph.slices(x, 2, both) for part in graph.slices(row, 3, both)]
    patches = graph.node("Reshape", graph.node("Concat", *patches, axis=1), graph.integers(stem[0].size, -1))
    stem = graph.constant(stem.transpose(2, 3, 1, 0).reshape(-1, len(bias)), "stem")
    x = graph.node("MatMul", graph.node("Transpose", patches, perm=[1, 0]), stem)
    x = graph.activation(graph.node("Add", x, graph.constant(bias, "stem_bias")))
    x = graph.node("Reshape", x, graph.integers(1, side, side, len(bias)))
    for place, stage in enumerate(network.stages):
        x = graph.convolution(x, stage.widen, f"widen{place}", side)
        side //= 2
        x = graph.node("Add", x, graph.convolution(x, stage.refine, f"refine{place}", side))
    # Pixel by pixel: runtimes are slow at the maximum of one channel if channels are adjacent.
    x = graph.largest(x, [(place, place + 1) for place in range(side)])
    x = graph.node("Reshape", x, graph.integers(1, -1))
    head = network.head.weight.detach().numpy().T / np.float32(temperature)
    return graph.node("MatMul", x, graph.constant(head, "head"))


def branch(graph, name):
    """Adds a branch of a condition."""
    output = helper.make_tensor_value_info(graph.nodes[-1].output[0], TensorProto.FLOAT, None)
    return helper.make_graph(graph.nodes, name, [], [output])


def finished(graph, classes, about):
    """Returns the model, checked."""
    picture = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, data.SIDE, data.SIDE])
    logits = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, classes])
    body = helper.make_graph(graph.nodes, "classifier", [picture], [logits], list(graph.constants.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="models/train")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    return model
