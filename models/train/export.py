"""Creates the model directory of a finished training: the network as ONNX, its labels, and its parameters for services."""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import calibration
import data
import graph
from network import Network

MODEL, LABELS, PARAMETERS = "model.onnx", "labels.txt", "model.toml"
NAME, LICENCE = "cifar10-small", "Apache-2.0"

# Largest network that the repository and a single .wasm allow.
MOST_BYTES = 1_500_000

# Instructions for a better model; the service shows them to its users.
NOTE = "`cargo xtask model get` downloads a model that knows a thousand things; it answers from the next start on."

# Beside the checkpoint: facts about training and calibration for the model card.
FACTS = "facts.json"


def main():
    arguments = parsed()
    saved = checkpoint(arguments.out / "checkpoint.pt")
    network = Network(len(saved["labels"]))
    network.load_state_dict(saved["average"])
    network.eval()
    settings = saved["settings"]
    pictures = data.load(data.place_of(arguments.data), "train")
    training, held_out = data.hold_out(pictures, settings["held_out"], settings["seed"])

    # Calibrates the exported file, with rounded weights.
    raw = run(graph.model_of(network, 1.0, {}).SerializeToString(), held_out.pixels)
    temperature = calibration.temperature_of(raw, held_out.classes)
    model = graph.model_of(network, temperature, {"name": NAME, "licence": LICENCE, "labels": "\n".join(saved["labels"])})
    contents = model.SerializeToString()
    if len(contents) > MOST_BYTES:
        raise data.DataError(f"the model has {len(contents)} bytes, and {MOST_BYTES} are the most")
    sure_of = calibration.probabilities(run(contents, held_out.pixels))
    threshold = calibration.threshold_of(sure_of, held_out.classes)
    facts = {
        "settings": settings,
        "minutes": saved["seconds"] / 60,
        "training_pictures": len(training),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "temperature": temperature,
        "threshold": threshold,
        "held_out": figures(sure_of, calibration.probabilities(raw), held_out.classes, threshold),
    }
    write(arguments.model, contents, saved["labels"], threshold)
    (arguments.out / FACTS).write_text(json.dumps(facts, indent=2) + "\n")
    print(json.dumps(facts, indent=2))


def checkpoint(path):
    """Returns the last state of a finished training."""
    if not path.exists():
        raise data.DataError(f"`{path}` does not exist; train.py makes it")
    saved = torch.load(path, weights_only=True)
    epochs = saved["settings"]["epochs"] + saved["settings"]["polish"]
    if saved["epoch"] < epochs:
        print(f"only {saved['epoch']} of {epochs} epochs are trained", file=sys.stderr)
    return saved


def run(contents, pixels):
    """The model's logits for images of bytes, computed by a runtime independent of training.

    One image at a time, as in the service: the file's batch size is one.
    """
    session = onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"])
    parts = [pixels[at : at + 1].astype(np.float32) / 255 for at in range(len(pixels))]
    return np.concatenate([session.run([graph.OUTPUT], {graph.INPUT: part})[0] for part in parts])


def figures(sure_of, uncalibrated, classes, threshold):
    """Measures the model on some images."""
    sure, right_if_sure = calibration.sure_part(sure_of, classes, threshold)
    is_right = sure_of.argmax(1) == classes
    lost = (sure_of.max(1) < threshold)[is_right]
    return {
        "pictures": len(classes),
        "right": float((sure_of.argmax(1) == classes).mean()),
        "expected_error": calibration.expected_error(sure_of, classes),
        "expected_error_uncalibrated": calibration.expected_error(uncalibrated, classes),
        "sure": sure,
        "right_if_sure": right_if_sure,
        "lost": float(lost.mean()) if len(lost) else 0.0,
    }


def write(folder, contents, labels, threshold):
    """Writes the directory in the format that services read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(contents)
    (folder / LABELS).write_text("".join(f"{label}\n" for label in labels))
    (folder / PARAMETERS).write_text(PARAMETERS_TEXT.format(
        name=NAME, side=data.SIDE, threshold=threshold, licence=LICENCE, note=NOTE, sha256=hashlib.sha256(contents).hexdigest()
    ))


PARAMETERS_TEXT = """\
# Written by models/train/export.py.
name = "{name}"
licence = "{licence}"
note = "{note}"
sha256 = "{sha256}"

# One picture: red, green and blue from 0 to 1, colour by colour. The network normalises them itself. Of a picture that is no
# square it sees the middle.
width = {side}
height = {side}
layout = "nchw"
fit = "crop"
mean = [0.0, 0.0, 0.0]
deviation = [1.0, 1.0, 1.0]

# Softmax makes probabilities of the logits. They are calibrated: the network divides them by its temperature itself.
output = "logits"
temperature = 1.0

# Below this probability the best guess is called unsure.
unsure_below = {threshold}
"""


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", help=f"what train.py was given; else {data.USUAL_PLACE} in TESTDATA_DIR")
    parser.add_argument("--out", type=Path, default=Path("run"), help="the folder of the checkpoint")
    parser.add_argument("--model", type=Path, default=Path("../default"), help="the folder to write")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except data.DataError as error:
        sys.exit(f"error: {error}")
