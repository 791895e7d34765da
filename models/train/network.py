"""The network: dense convolutions, few and wide.

It has to be fast both in training and in WebAssembly, on processors without an accelerator. There a convolution is a
matrix product, and large ones run near the processor's peak. So the image is halved at once, and no convolution is
depthwise.
"""

import torch
from torch import nn
from torch.nn import functional

# Means and deviations of the colours in CIFAR-10's training images, with brightness from 0 to 1.
MEAN = (0.4914, 0.4822, 0.4465)
DEVIATION = (0.2470, 0.2435, 0.2616)

STEM = 24
WIDTHS = (32, 112, 224)

# Directions in which patches hardly vary are noise; without this they would be scaled up like all others.
WHITENING_FLOOR = 5e-4

# Brings the first logits, which come from a maximum of many features, close to zero.
HEAD_SCALE = 0.125


class Convolution(nn.Module):
    """A 3x3 convolution with batch normalisation, which makes a bias redundant."""

    def __init__(self, inputs, outputs, pools=False):
        super().__init__()
        self.weights = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.pools = pools
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = self.norm(self.weights(x))
        return functional.silu(functional.max_pool2d(x, 2) if self.pools else x)

    def folded(self):
        """Returns weights and bias of the equivalent convolution after training."""
        factor = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        return self.weights.weight * factor[:, None, None, None], self.norm.bias - self.norm.running_mean * factor


class Stage(nn.Module):
    """A convolution that widens, and a residual one."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.widen = Convolution(inputs, outputs, pools=True)
        self.refine = Convolution(outputs, outputs)

    def forward(self, x):
        x = self.widen(x)
        return x + self.refine(x)


class Network(nn.Module):
    """Maps normalised images [n, 3, 32, 32] to logits [n, classes]."""

    def __init__(self, classes, stem=STEM, widths=WIDTHS):
        super().__init__()
        self.stem = nn.Conv2d(3, stem, 2)
        self.stages = nn.ModuleList(Stage(a, b) for a, b in zip((stem, *widths), widths))
        self.head = nn.Linear(widths[-1], classes, bias=False)
        self.head.weight.data.mul_(HEAD_SCALE)

    def forward(self, x):
        x = functional.silu(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return self.head(x.amax((2, 3)))

    def whiten(self, pictures):
        """Initialises the first layer with the directions that distinguish patches of normalised images.

        Its filters are the principal directions in which patches differ, scaled so that each varies equally. They save
        the epochs in which the network would learn that neighbouring pixels are alike. Each occurs with both signs,
        since the activation keeps little of negative values.
        """
        size, count = self.stem.kernel_size[0], self.stem.out_channels // 2
        patches = functional.unfold(pictures, size, stride=size).transpose(1, 2).reshape(-1, 3 * size * size)
        patches = patches - patches.mean(0)
        variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = directions.T.flip(0)[:count] / torch.sqrt(variances.flip(0)[:count, None] + WHITENING_FLOOR)
        self.stem.weight.data.copy_(torch.cat([filters, -filters]).reshape(self.stem.weight.shape))
        self.stem.bias.data.zero_()


def normalised(pixels):
    """Converts bytes to the network's input, in the memory order in which convolutions are fast."""
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return ((pixels.float() / 255 - mean) / deviation).contiguous(memory_format=torch.channels_last)


def logits_of(network, pixels, batch=500):
    """Runs the network on all images, without training it."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(normalised(part)) for part in pixels.split(batch)])
