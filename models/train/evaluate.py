"""Evaluates a model directory on the test images, and writes its model card with figures and a confusion matrix.

Run it once, when nothing will change any more: a model chosen by these figures would have no test left. Until then,
`--held-out` uses the images that training held out, and leaves the test's alone.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import calibration
import card
import data
from export import FACTS, LABELS, MODEL, figures, run


def main():
    arguments = parsed()
    facts = read(arguments.out / FACTS)
    labels = read(arguments.model / LABELS).split()
    model = arguments.model / MODEL
    if not model.exists():
        raise data.DataError(f"`{model}` does not exist; export.py makes it")
    facts = json.loads(facts)
    pictures = chosen(arguments, facts["settings"])
    if pictures.labels != labels:
        raise data.DataError(f"the pictures are of {pictures.labels}, and the model knows {labels}")
    logits = run(model.read_bytes(), pictures.pixels)
    sure_of = calibration.probabilities(logits)
    # The temperature is in the model; removing it shows the benefit of calibration.
    uncalibrated = calibration.probabilities(logits * facts["temperature"])
    result = figures(sure_of, uncalibrated, pictures.classes, facts["threshold"])
    table = confusion(sure_of.argmax(1), pictures.classes, len(labels))
    (arguments.model / card.PICTURE).write_text(card.drawn(table, labels))
    if arguments.others:
        unknown = whole(arguments.others)
        unsure = calibration.probabilities(run(model.read_bytes(), unknown)).max(1) < facts["threshold"]
        facts["others"] = {"pictures": len(unknown), "unsure": float(unsure.mean())}
        print(f"unsure of {100 * unsure.mean():.1f} % of {len(unknown)} pictures of other things")
    text = card.written(facts, None if arguments.held_out else result, table, labels, model.stat().st_size, arguments.hardware)
    (arguments.model / card.CARD).write_text(text)
    print(json.dumps(result, indent=2))
    for label, row, at in zip(labels, table, range(len(labels))):
        print(f"{label:12} {100 * row[at] / row.sum():5.1f} %")


def chosen(arguments, settings):
    """Reads the images to evaluate the model on."""
    place = data.place_of(arguments.data)
    if not arguments.held_out:
        return data.load(place, "test")
    return data.hold_out(data.load(place, "train"), settings["held_out"], settings["seed"])[1]


def whole(folder):
    """Reads the photographs of a directory as services see them: the central square, shrunk."""
    pixels = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            pixels.append(data.small(ImageOps.fit(Image.open(path).convert("RGB"), (512, 512))))
        except OSError:
            print(f"`{path}` is no picture", file=sys.stderr)
    if not pixels:
        raise data.DataError(f"`{folder}` has no pictures")
    return np.stack(pixels)


def read(path):
    if not path.exists():
        raise data.DataError(f"`{path}` does not exist; export.py makes it")
    return path.read_text()


def confusion(guessed, classes, count):
    """Counts how often each class (row) was recognised as each other (column)."""
    table = np.zeros((count, count), int)
    np.add.at(table, (classes, guessed), 1)
    return table


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", help=f"a folder or tar with test/LABEL/PICTURE; else {data.USUAL_PLACE} in TESTDATA_DIR")
    parser.add_argument("--out", type=Path, default=Path("run"), help="the folder of the checkpoint")
    parser.add_argument("--model", type=Path, default=Path("../default"), help="the folder of the model")
    parser.add_argument("--held-out", action="store_true", help="try it on the pictures held out; the test's stay unseen")
    parser.add_argument("--others", type=Path, help="a folder with photographs of other things, which no other script has seen")
    parser.add_argument("--hardware", default="2 processor cores", help="what it was trained on, for the card")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except data.DataError as error:
        sys.exit(f"error: {error}")
