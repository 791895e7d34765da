"""3x3 convolutions with half as many multiplications as they seem to need: Winograd's minimal filtering, along rows.

Of a row, `tile` results of a filter of three take `tile + 2` products of sums in place of `3 * tile` (Lavin and Gray, *Fast
Algorithms for Convolutional Neural Networks*, 2015). Down the columns the filter is as it was: both ways would save more, but
small pictures would fall into matrices too small to be multiplied well. What is left are products of matrices with a channel in
each column, which any runtime does near the processor's peak, while a runtime without this method gathers patches pixel by pixel.

Pictures are [1, height, width, channels] here: what is moved are whole pixels.
"""

import numpy as np

# Results of one tile, for each width of a picture: few products for a row, and sums of few pixels.
TILES = {31: 4, 15: 5, 7: 7, 3: 3}

# Where polynomials are looked at: the first `tile + 1` of these, and at infinity.
POINTS = (0, 1, -1, 1 / 2, -1 / 2, 2, -2, 4)


def transforms(tile):
    """What makes the products' one side of a filter, the other of pixels, and results of the products.

    Multiplying polynomials by their values at some points is Toom and Cook's method; filtering is the transpose of that.
    """
    def values(count):
        powers = np.vander(POINTS[: tile + 1], count, increasing=True)
        return np.vstack([powers, np.eye(count)[-1]])
    parts = values(3), np.linalg.inv(values(tile + 2)).T, values(tile).T
    return [part.astype(np.float32) for part in parts]


def convolution(graph, x, weights, name, side):
    """A 3x3 convolution of a picture of that side, of which every row is finished by columns that mean nothing."""
    tile = TILES[side]
    filters, pixels, results = transforms(tile)
    into, out, products = weights.shape[1], weights.shape[0], tile + 2
    tiles = -(-side // tile)
    right = tile * tiles - side + 1
    x = graph.node("Pad", x, graph.integers(0, 1, 1, 0, 0, 1, right, 0))
    last = tile * (tiles - 1) + 1
    x = graph.slices(x, 2, [(start, start + last) for start in range(products)], tile)
    x = transformed(graph, pixels, graph.node("Concat", *x, axis=0), (side + 2, tiles, into))
    x = graph.node("Concat", *graph.slices(x, 1, [(row, row + side) for row in range(3)]), axis=3)
    x = graph.slices(x, 0, [(product, product + 1) for product in range(products)])
    both = zip(x, filter_matrices(graph, filters, weights, name))
    x = graph.node("Concat", *(graph.node("MatMul", *sides) for sides in both), axis=0)
    x = graph.node("Transpose", transformed(graph, results, x, (side, tiles, out)), perm=[1, 2, 0, 3])
    return graph.node("Reshape", x, graph.integers(1, side, tile * tiles, out))


def filter_matrices(graph, filters, weights, name):
    """A filter's side of each product. Nothing there depends on the picture: a runtime computes it once, when it loads the file."""
    whole, into, out = graph.whole, weights.shape[1], weights.shape[0]
    if name not in whole.weights:
        weights = graph.bytes(weights.transpose(3, 2, 1, 0).reshape(-1, out), name)
        columns = whole.node("Reshape", weights, whole.integers(3, -1))
        rows = [whole.constant(row[None], f"filter_{len(filters)}_{place}") for place, row in enumerate(filters)]
        matrices = [whole.node("MatMul", row, columns) for row in rows]
        whole.weights[name] = [whole.node("Reshape", matrix, whole.integers(3 * into, out)) for matrix in matrices]
    return whole.weights[name]


def transformed(graph, matrix, x, shape):
    """Sums of what lies behind one another."""
    after, before = matrix.shape
    matrix = graph.constant(matrix, f"transform_{after}_{before}")
    x = graph.node("MatMul", matrix, graph.node("Reshape", x, graph.integers(before, -1)))
    return graph.node("Reshape", x, graph.integers(after, *shape))
