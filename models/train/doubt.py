"""Lowers the exported model's confidence for images that are unlike its training data.

A small network reads the classifier's last features and its logits, and distinguishes images of the classes from other
ones. It becomes part of `model.onnx`: logits are multiplied by its probability, so that in every runtime a hot dog
belongs to no class. `export.py` runs first; this runs once, before `evaluate.py`.

`--others` is a directory with photographs of anything but the classes. Those with transparency are put on other
backgrounds, and of all others random parts are used. A fifth of the files is not used for training, and measures the
result.
"""

import argparse
import hashlib
import io
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from PIL import Image, ImageEnhance

import calibration
import data
from export import FACTS, MODEL, PARAMETERS, figures, run

# Number of averaged networks, their width, and their training.
NETWORKS, WIDTH, EPOCHS, NOISE = 3, 32, 14, 0.2

# Steepness of the confidence, and the least familiarity of a sure result.
STEEPNESS, SURE_FROM = 2.0, 0.55

# Share of the right results on held-out images that may become unsure.
LOST = 0.068

# Number of parts of each photograph to train on, and the size of the smallest.
PARTS, SMALLEST = 24, 0.3


def compressed(picture, least, most):
    """Compresses the image as JPEG with a random quality."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=random.randint(least, most))
    return Image.open(file).convert("RGB")


def lit(picture):
    """Changes the image's light, or mirrors it."""
    for kind in ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color:
        if random.random() < 0.5:
            picture = kind(picture).enhance(random.uniform(0.7, 1.3))
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else picture


def shrunk(picture):
    """Shrinks the image to the network's input in a random way, sometimes compressed like training images."""
    way = random.choice([Image.Resampling.BILINEAR, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX])
    picture = picture.resize((data.SIDE, data.SIDE), way)
    picture = compressed(picture, 75, 96) if random.random() < 0.5 else picture
    return np.asarray(picture).transpose(2, 0, 1)


def part_of(picture):
    """Returns a random square of a photograph; a cut-out is put on a background."""
    if picture.mode == "RGBA":
        picture = picture.crop(picture.getbbox())
        side = int(max(picture.size) * random.uniform(1, 1.35))
        back = Image.new("RGBA", (side, side), tuple(random.choice([(255,) * 3, tuple(random.choices(range(256), k=3))])) + (255,))
        back.alpha_composite(picture, tuple(random.randint(0, side - size) for size in picture.size))
        return back.convert("RGB")
    side = max(data.SIDE, int(min(picture.size) * random.uniform(SMALLEST, 1)))
    left, top = (random.randint(0, max(0, size - side)) for size in picture.size)
    return picture.crop((left, top, left + side, top + side))


def varied(pixels):
    """Makes an image of the data look like a photograph's: enlarged, compressed, and shrunk again."""
    picture = Image.fromarray(pixels.transpose(1, 2, 0))
    if random.random() < 0.6:
        side = random.randint(64, 300)
        picture = compressed(picture.resize((side, side), Image.Resampling.BICUBIC), 60, 95)
        edge = int(side * random.uniform(0, 0.08))
        picture = picture.crop((edge, edge, side - edge, side - edge))
    return shrunk(lit(picture))


def others(folder):
    """Returns pairs of pixels for each photograph: for training, and for measuring the result."""
    learnt, kept = [], []
    for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        try:
            picture = Image.open(path)
            picture = picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "P") else "RGB")
        except OSError:
            continue
        picture.thumbnail((700, 700))
        if min(picture.size) >= data.SIDE and (picture.mode == "RGB" or picture.getbbox()):
            (kept if number % 5 == 0 else learnt).extend(shrunk(lit(part_of(picture))) for _ in range(PARTS))
    if not learnt or not kept:
        raise data.DataError(f"`{folder}` has too few photographs")
    return np.stack(learnt), np.stack(kept)


def first_look(graph):
    """Returns the names of two values of the exported graph: the logits of the first look, and their features."""
    node = next(node for node in graph.node if "head" in node.input)
    return node.output[0], node.input[0]


def seen(model, pictures):
    """Returns the model's logits, and the logits and features of the first look, for each image."""
    model = onnx.load_from_string(model)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in first_look(model.graph))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = [session.run(None, {"picture": one[None].astype(np.float32) / 255}) for one in pictures]
    return np.concatenate([answer[0] for answer in answers]), np.concatenate([np.hstack(answer[1:]) for answer in answers])


def trained(known, unknown):
    """Returns the averaged networks as weights of one that takes unnormalised features."""
    mean, deviation = known.mean(0), known.std(0) + 1e-2
    x = torch.from_numpy((np.concatenate([known, unknown]) - mean) / deviation).float()
    y = torch.cat([torch.ones(len(known)), torch.zeros(len(unknown))])
    weight = torch.where(y > 0, len(x) / 2 / len(known), len(x) / 2 / len(unknown))
    networks = [fitted(x, y, weight, seed) for seed in range(NETWORKS)]
    first, bias = (np.concatenate([getattr(n[0], name).detach().numpy() for n in networks]) for name in ("weight", "bias"))
    second = np.concatenate([n[3].weight.detach().numpy()[0] for n in networks]) / NETWORKS
    offset = sum(float(n[3].bias) for n in networks) / NETWORKS
    return (first / deviation).T, bias - (first * (mean / deviation)).sum(1), second, offset


def fitted(x, y, weight, seed):
    torch.manual_seed(seed)
    layers = torch.nn.Linear(x.shape[1], WIDTH), torch.nn.SiLU(), torch.nn.Dropout(0.3), torch.nn.Linear(WIDTH, 1)
    network = torch.nn.Sequential(*layers)
    descent = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.1)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(descent, EPOCHS)
    for _ in range(EPOCHS):
        for places in torch.randperm(len(x)).split(256):
            noisy = x[places] + NOISE * torch.randn_like(x[places])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(noisy)[:, 0], y[places] * 0.98 + 0.01, weight=weight[places])
            descent.zero_grad()
            loss.backward()
            descent.step()
        rate.step()
    return network.eval()


def familiar(weights, features, threshold=0.0):
    """Returns how familiar images are, from 0 to 1."""
    first, bias, second, offset = weights
    inside = features @ first + bias
    score = (inside / (1 + np.exp(-inside))) @ second + offset
    return 1 / (1 + np.exp(-STEEPNESS * (score - threshold)))


def confidence(weights, logits, features, threshold):
    return calibration.probabilities(logits * familiar(weights, features, threshold)[:, None])


def threshold_of(weights, logits, features, classes):
    """Finds the highest threshold at which enough right results stay sure; else the lowest."""
    right = logits.argmax(1) == classes
    for threshold in np.arange(3, -6, -0.02):
        sure = confidence(weights, logits, features, threshold).max(1) >= SURE_FROM
        if 1 - sure[right].mean() <= LOST:
            break
    return float(threshold)


def with_doubt(contents, weights, threshold):
    """Returns the model with the small network added."""
    model = onnx.load_from_string(contents)
    graph, (first, bias, second, offset) = model.graph, weights
    graph.node[-1].output[0] = "seen"

    def constant(values, name):
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(values, np.float32)), name))
        return name

    def node(kind, *inputs, name=None, **attributes):
        name = name or f"doubt_{kind.lower()}_{len(graph.node)}"
        graph.node.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    x = node("Concat", *first_look(graph), axis=1)
    x = node("Add", node("MatMul", x, constant(first, "doubt_first")), constant(bias, "doubt_first_bias"))
    x = node("Mul", x, node("Sigmoid", x))
    x = node("MatMul", x, constant(STEEPNESS * second[:, None], "doubt_second"))
    x = node("Add", x, constant([STEEPNESS * (offset - threshold)], "doubt_second_bias"))
    node("Mul", "seen", node("Sigmoid", x), name="logits")
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def main():
    arguments = parsed()
    facts = json.loads((arguments.out / FACTS).read_text())
    file, parameters = arguments.model / MODEL, arguments.model / PARAMETERS
    contents = file.read_bytes()
    if b"doubt_first" in contents:
        raise data.DataError(f"`{file}` has learnt doubt already; export.py writes it anew")
    random.seed(facts["settings"]["seed"])
    pictures = data.load(data.place_of(arguments.data), "train")
    kept, held = data.hold_out(pictures, facts["settings"]["held_out"], facts["settings"]["seed"])
    half = np.random.default_rng(3).permutation(len(held))
    teaching, choosing = held.take(half[::2]), held.take(half[1::2])
    some = np.random.default_rng(0).permutation(len(kept))[: arguments.pictures]
    known = [teaching.pixels, *(np.stack([varied(one) for one in part]) for part in (teaching.pixels, kept.pixels[some]))]
    learnt, unseen = others(arguments.others)
    weights = trained(seen(contents, np.concatenate(known))[1], seen(contents, learnt)[1])
    logits, features = seen(contents, choosing.pixels)
    threshold = threshold_of(weights, logits, features, choosing.classes)
    unsure = confidence(weights, *seen(contents, unseen), threshold).max(1) < SURE_FROM
    print(f"unsure of {100 * unsure.mean():.1f} % of what was kept of other things")
    contents = with_doubt(contents, weights, threshold)
    file.write_bytes(contents)
    text = re.sub('sha256 = ".*"', f'sha256 = "{hashlib.sha256(contents).hexdigest()}"', parameters.read_text())
    parameters.write_text(re.sub("unsure_below = .*", f"unsure_below = {SURE_FROM}", text))
    logits = run(contents, held.pixels)
    sure_of, uncalibrated = calibration.probabilities(logits), calibration.probabilities(logits * facts["temperature"])
    facts["held_out"] = figures(sure_of, uncalibrated, held.classes, SURE_FROM)
    facts |= {"threshold": SURE_FROM, "kept_unsure": float(unsure.mean())}
    (arguments.out / FACTS).write_text(json.dumps(facts, indent=2) + "\n")


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", help=f"what train.py was given; else {data.USUAL_PLACE} in TESTDATA_DIR")
    parser.add_argument("--others", type=Path, required=True, help="a folder with photographs of other things")
    parser.add_argument("--pictures", type=int, default=9000, help="how many training pictures to learn from")
    parser.add_argument("--out", type=Path, default=Path("run"), help="the folder of the checkpoint")
    parser.add_argument("--model", type=Path, default=Path("../default"), help="the folder of the model")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except data.DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
