"""Writes a trained network as ONNX, from the plainest operators.

The normalisation of pictures, a second look where the first leaves doubt and the calibration of confidence are inside, so that
whoever runs the file can forget none.
Batch normalisation is folded away. Weights of convolutions are stored as bytes, which a runtime turns back into floating-point
numbers when it loads the file: the file is a quarter of the size, and computing is as fast as before. Convolutions are products
of matrices, which `winograd.py` makes of them.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import data
import winograd
from network import DEVIATION, MEAN

# What RTen 0.27 and much older runtimes read.
OPSET = 17
IR_VERSION = 8

INPUT, OUTPUT = "picture", "logits"

# When the best logit leads the next by less, as trained, the picture is looked at again, mirrored: what both looks have in common
# is more often right. Of held-out pictures a fifth are; a second look at all of them would bring nothing more.
LEAD = 1.5


class Graph:
    """Nodes in order, and the constants that they take. A branch has nodes of its own, and the weights of the whole."""

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
        """Places, shapes and the like."""
        return self.constant(np.array(values, np.int64), "integers_" + "_".join(map(str, values)))

    def split(self, x, count):
        """Parts of the first axis, of one each."""
        first = self.node("Split", x, outputs=count, axis=0)
        return [first, *(f"{first}_{number}" for number in range(1, count))]

    def slices(self, x, axis, ranges, step=1):
        """Parts of an axis, each from a place to another."""
        steps = (self.integers(axis), self.integers(step)) if step != 1 else (self.integers(axis),)
        return [self.node("Slice", x, self.integers(start), self.integers(end), *steps) for start, end in ranges]

    def gathered(self, x, axis, places):
        """What lies in those places of an axis, row by row."""
        places = np.array(places, np.int64)
        name = "places_" + "_".join(map(str, (*places[0], *places[-1])))
        return self.node("Gather", x, self.constant(places, name), axis=axis)

    def bytes(self, weights, name):
        """Weights as bytes with a scale for each output channel, which is a column, and what makes them weights again."""
        whole = self.whole
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-12) / 127
        small = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
        scale = whole.constant(scale.astype(np.float32), f"{name}_scale")
        nought = whole.constant(np.zeros(small.shape[1], np.int8), f"{name}_zero")
        return whole.node("DequantizeLinear", whole.constant(small, f"{name}_bytes"), scale, nought, axis=1)

    def convolution(self, x, convolution, name, side):
        """One of the network, which halves the side where it pools."""
        weights, bias = (part.detach().numpy() for part in convolution.folded())
        wanted = side - side % 2 if convolution.pools else side
        x = winograd.convolution(self, x, weights, name, side, wanted)
        if convolution.pools:
            x = self.largest(x, [(0, wanted), (1, wanted)], 2)
        return self.activation(self.node("Add", x, self.constant(bias, f"{name}_bias")))

    def largest(self, x, ranges, step=1):
        """The largest of pixels that lie so in rows and in columns."""
        for axis in 1, 2:
            x = self.node("Max", *self.slices(x, axis, ranges, step))
        return x


def model_of(network, temperature, about):
    """The network as an ONNX model whose logits are calibrated; `about` are texts that the file shall carry."""
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
    """The calibrated logits of a picture."""
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
    # Pixel by pixel: runtimes find the largest of one channel slowly where channels lie side by side.
    x = graph.largest(x, [(place, place + 1) for place in range(side)])
    x = graph.node("Reshape", x, graph.integers(1, -1))
    head = network.head.weight.detach().numpy().T / np.float32(temperature)
    return graph.node("MatMul", x, graph.constant(head, "head"))


def branch(graph, name):
    """What a decision leads to."""
    output = helper.make_tensor_value_info(graph.nodes[-1].output[0], TensorProto.FLOAT, None)
    return helper.make_graph(graph.nodes, name, [], [output])


def finished(graph, classes, about):
    """The model, checked."""
    picture = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, data.SIDE, data.SIDE])
    logits = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, classes])
    body = helper.make_graph(graph.nodes, "classifier", [picture], [logits], list(graph.constants.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="models/train")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    return model
