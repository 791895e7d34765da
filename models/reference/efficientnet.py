"""Prints the results of PyTorch's own EfficientNet-Lite0 with generated weights, to test the conversion.

    python -m venv venv && . venv/bin/activate && pip install torch numpy efficientnet-lite-pytorch
    python efficientnet.py

prints, for one generated image, the logits of every hundredth class. They are in
`tools/model-import/tests/import/efficientnet.rs`.
"""

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

SIDE, STEP = 224, 100


def scattered(tensor, count):
    """Returns numbers from -0.5 to 0.5 that depend only on their positions."""
    with np.errstate(over="ignore"):
        bits = np.uint32(tensor) * np.uint32(0x9E3779B9) ^ np.arange(count, dtype=np.uint32) * np.uint32(0x85EBCA6B)
        bits ^= bits >> np.uint32(16)
        bits *= np.uint32(0x7FEB352D)
        bits ^= bits >> np.uint32(15)
        bits *= np.uint32(0x846CA68B)
        bits ^= bits >> np.uint32(16)
    return (bits.astype(np.float64) / 2**32 - 0.5).astype(np.float32)


def values(tensor, name, shape):
    """Returns the weights of one tensor."""
    kind, numbers = name.rsplit(".", 1)[1], scattered(tensor, int(np.prod(shape)))
    if kind == "running_var" or (kind == "weight" and len(shape) == 1):
        numbers = 1 + np.float32(0.5) * numbers
    elif kind == "weight":
        numbers = np.float32(4) / np.sqrt(np.float32(np.prod(shape[1:]))) * numbers
    else:
        numbers = np.float32(0.5) * numbers
    return torch.from_numpy(numbers.reshape(shape))


def picture():
    """Returns an image of stripes and slopes, as bytes."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return np.stack([(x * 3 + y) % 256, (y * 5) % 256, (x * y // 7) % 256], -1).astype(np.float32)


def main():
    """Prints the logits."""
    model = EfficientNet.from_name("efficientnet-lite0").eval()
    own = model.state_dict()
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    own.update({name: values(number, name, own[name].shape) for number, name in enumerate(names)})
    model.load_state_dict(own)
    pixels = torch.from_numpy(((picture() - 127) / 128).transpose(2, 0, 1)[None])
    with torch.no_grad():
        logits = model(pixels)[0].numpy()
    print([round(float(value), 4) for value in logits[::STEP]], float(np.abs(logits).max()), int(logits.argmax()))


if __name__ == "__main__":
    main()
