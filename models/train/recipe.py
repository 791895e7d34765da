"""The training recipe: augmentation, learning rate, and averaging of weights.

Everything is derived from the seed and the epoch's number, never from earlier steps, so that an interrupted training
resumes as if it had not been interrupted.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from network import normalised


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters; tune them on the held-out images, never on the test's."""

    epochs: int = 48
    batch: int = 256
    rate: float = 0.2  # the highest learning rate
    warm_up: float = 0.075  # the part of the training until then
    momentum: float = 0.9
    decay: float = 5e-4  # of weights; biases and normalisations are few and need none
    smoothing: float = 0.1  # of labels: no answer is worth infinite confidence
    average: float = 0.998  # the part of the averaged weights that a step keeps
    shift: int = 4  # how far a picture moves, in pixels
    hole: int = 8  # the side of the square that is painted over
    light: float = 0.15  # how far brightness and contrast vary
    mix: float = 0.5  # the part of the batches in which pictures get a piece of another
    polish: int = 12  # epochs at the end in which all pictures are whole
    polish_rate: float = 0.02  # the learning rate at which they begin

    def all_epochs(self):
        """Returns the number of epochs."""
        return self.epochs + self.polish


def rate_at(recipe, epochs):
    """Returns the learning rate after so many epochs: up, down, and a short way down for the polish."""
    if epochs < recipe.epochs:
        progress = epochs / recipe.epochs
        return recipe.rate * min(max(progress, 1e-3) / recipe.warm_up, (1 - progress) / (1 - recipe.warm_up))
    return recipe.polish_rate * (1 - (epochs - recipe.epochs) / recipe.polish)


def batches(pictures, recipe, seed, epoch):
    """The images of one epoch in a new order, augmented, as pairs of input and class shares.

    An incomplete batch is left out.
    """
    rng = np.random.default_rng([seed, epoch])
    mix = recipe.mix if epoch < recipe.epochs else 0
    order = rng.permutation(len(pictures))
    for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
        places = order[start : start + recipe.batch]
        pixels = torch.from_numpy(moved(pictures.pixels[places], recipe.shift, rng))
        x = varied(normalised(pixels), recipe, rng)
        shares = functional.one_hot(torch.from_numpy(pictures.classes[places]), len(pictures.labels)).float()
        yield mixed(x, shares, rng) if rng.random() < mix else (x, shares)


def moved(pixels, shift, rng):
    """Moves each image by up to `shift` pixels, and mirrors every other one; edges are filled by reflection."""
    count, _, height, width = pixels.shape
    rows = np.arange(height) + rng.integers(-shift, shift + 1, (count, 1))
    columns = np.arange(width) + rng.integers(-shift, shift + 1, (count, 1))
    mirrored = rng.random(count) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    rows, columns = reflected(rows, height), reflected(columns, width)
    which, colours = np.arange(count)[:, None, None, None], np.arange(3)[None, :, None, None]
    return pixels[which, colours, rows[:, None, :, None], columns[:, None, None, :]]


def reflected(places, size):
    """Returns indices past an edge, reflected."""
    places = np.abs(places)
    return np.where(places >= size, 2 * (size - 1) - places, places)


def varied(x, recipe, rng):
    """Changes each image's light, and covers a random square with gray, so that no single feature decides."""
    count, _, height, width = x.shape
    contrast = 1 + rng.uniform(-recipe.light, recipe.light, (count, 1, 1, 1))
    brightness = rng.uniform(-recipe.light, recipe.light, (count, 1, 1, 1))
    top, left = rng.integers(1 - recipe.hole, height, (count, 1)), rng.integers(1 - recipe.hole, width, (count, 1))
    rows, columns = np.arange(height) - top, np.arange(width) - left
    inside = ((rows >= 0) & (rows < recipe.hole))[:, :, None] & ((columns >= 0) & (columns < recipe.hole))[:, None, :]
    x.mul_(torch.from_numpy(contrast.astype(np.float32))).add_(torch.from_numpy(brightness.astype(np.float32)))
    return x.masked_fill_(torch.from_numpy(inside)[:, None], 0)


def mixed(x, shares, rng):
    """Replaces a rectangle of each image by its neighbour's, and the same share of its class.

    No image is seen twice in that form, and no single place can decide alone.
    """
    height, width = x.shape[2:]
    side = np.sqrt(rng.random())
    tall, wide = round(height * side), round(width * side)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    replaced = tall * wide / (height * width)
    other = x.roll(1, 0)
    x[:, :, top : top + tall, left : left + wide] = other[:, :, top : top + tall, left : left + wide]
    return x, torch.lerp(shares, shares.roll(1, 0), replaced)


def optimizer_of(network, recipe):
    """Gradient descent with momentum; only weights decay."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=recipe.rate, momentum=recipe.momentum, nesterov=True)


def loss_of(network, x, shares, recipe):
    """Returns the loss of a batch."""
    return functional.cross_entropy(network(x), shares, label_smoothing=recipe.smoothing)


class Average:
    """The network with averaged recent weights: better than any single state."""

    def __init__(self, network, keep):
        self.network, self.keep = copy.deepcopy(network), keep

    @torch.no_grad()
    def update(self, network, step):
        """Adds the weights after a step. Early steps are forgotten faster, because they are far away."""
        keep = min(self.keep, (step + 1) / (step + 20))
        for mean, new in zip(self.network.state_dict().values(), network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - keep)
            else:
                mean.copy_(new)
