"""3x3 convolutions with half of the usual multiplications: Winograd's minimal filtering, along the columns.

Of a column, `tile` results of a filter of three take `tile + 2` products of sums instead of `3 * tile` (Lavin and Gray,
*Fast Algorithms for Convolutional Neural Networks*, 2015). Along the rows the filter is unchanged: both directions
would save more, but small images would give matrices too small for fast multiplication. The result is matrix products
with a channel in each column, which any runtime computes near the processor's peak, while a runtime without this method
gathers patches pixel by pixel.

Images are [1, height, width, channels] here: only whole rows or whole pixels are moved.
"""

import numpy as np

# Results of one tile, for each number of needed rows: few products for a column, and sums of few pixels.
TILES = {30: 6, 15: 5, 14: 7, 7: 7, 6: 6, 3: 3}

# Evaluation points of polynomials: the first `tile + 1` of these, and infinity.
POINTS = (0, 1, -1, 1 / 2, -1 / 2, 2, -2, 4)

# Products of matrices with at least this many rows are one operator. With fewer, most of the time would be spent on
# arranging the filter's side, which runtimes only do in advance for a single matrix.
MANY_ROWS = 16


# An image of three rows takes four products, not five: with zeros above and below, the three matrices of a filter are
# sums of these four, each with the results that it contributes to and the pixels that it takes. Found by searching
# small numbers.
THREE_ROWS = ((2, 3, 2), (2, 3, 2)), ((2, -3, 2), (2, -3, 2)), ((2, 1, -2), (2, -1, -2)), ((2, -1, -2), (2, 1, -2))


def transforms(tile, side, wanted):
    """Transformations of a filter and of a tile's pixels to factors, and of the products to results.

    Multiplying polynomials by their values at some points is Toom and Cook's method; filtering is its transpose.
    """
    def values(count):
        powers = np.vander(POINTS[: tile + 1], count, increasing=True)
        return np.vstack([powers, np.eye(count)[-1]])
    if tile == wanted == side == 3:
        results, pixels = np.array(THREE_ROWS).transpose(1, 2, 0)
        rows = [np.eye(3, k=tap - 1).flatten() for tap in range(3)]
        filters = np.linalg.pinv([np.outer(*pair).flatten() for pair in THREE_ROWS]).T @ np.transpose(rows)
        parts = filters, pixels.T, results
    else:
        pixels = np.linalg.inv(values(tile + 2)).T
        # For a tile that is the whole image: outside are zeros, which add nothing.
        parts = values(3), pixels[:, 1 : 1 + side] if tile == wanted else pixels, values(tile).T
    return [part.astype(np.float32) for part in parts]


def convolution(graph, x, weights, name, side, wanted):
    """Adds a 3x3 convolution of an image of this side, of which only the first rows and columns are needed."""
    tile = TILES[wanted]
    filters, pixels, results = transforms(tile, side, wanted)
    into, out, tiles = weights.shape[1], weights.shape[0], wanted // tile
    x = tiled(graph, x, tile, side, wanted)
    x = transformed(graph, "pixels", pixels, x, (tiles, wanted + 2, into))
    x = graph.gathered(x, 2, [range(column, column + 3) for column in range(wanted)])
    x = graph.node("Reshape", x, graph.integers(len(filters), tiles * wanted, 3 * into))
    if tiles * wanted >= MANY_ROWS:
        x = graph.node("MatMul", x, *filter_matrices(graph, filters, weights, name))
    else:
        matrices = filter_matrices(graph, filters, weights, name, parts=len(filters))
        products = [graph.node("MatMul", *sides) for sides in zip(graph.split(x, len(filters)), matrices)]
        x = graph.node("Concat", *products, axis=0)
    x = transformed(graph, "results", results, x, (tiles, wanted, out))
    if tiles > 1:
        x = graph.node("Transpose", x, perm=[1, 0, 2, 3])
    return graph.node("Reshape", x, graph.integers(1, wanted, wanted, out))


def tiled(graph, x, tile, side, wanted):
    """Returns the rows of all tiles: every tile's first, then every tile's second, and so on."""
    right = wanted + 1 - side
    if tile == wanted:
        return graph.node("Pad", x, graph.integers(0, 0, 1, 0, 0, 0, right, 0))
    x = graph.node("Pad", x, graph.integers(0, 1, 1, 0, 0, right, right, 0))
    return graph.gathered(x, 1, [range(row, row + wanted, tile) for row in range(tile + 2)])


def filter_matrices(graph, filters, weights, name, parts=1):
    """A filter's side of the products, as one or separate.

    Nothing there depends on the image: a runtime computes it once, when it loads the file.
    """
    whole, shape = graph.whole, (3 * weights.shape[1], weights.shape[0])
    if name not in whole.weights:
        weights = graph.bytes(weights.transpose(2, 3, 1, 0).reshape(-1, weights.shape[0]), name)
        matrices = transformed(whole, "filters", filters, weights, shape)
        apart = whole.split(matrices, parts) if parts > 1 else []
        whole.weights[name] = [whole.node("Reshape", part, whole.integers(*shape)) for part in apart] or [matrices]
    return whole.weights[name]


def transformed(graph, name, matrix, x, shape):
    """Multiplies a matrix with the leading axis of `x`."""
    after, before = matrix.shape
    matrix = graph.constant(matrix, f"{name}_{after}_{before}")
    x = graph.node("MatMul", matrix, graph.node("Reshape", x, graph.integers(before, -1)))
    return graph.node("Reshape", x, graph.integers(after, *shape))
