"""Prints the results of TensorFlow Lite's own interpreter for images and a quantised model, as JSON.

Imported models are compared with the output, which is `tools/model-import/tests/import/reference.json`. It lists each
class of at least 5/255 with its confidence in 255ths, the likeliest first, ties by index.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from PIL import Image, ImageOps

LEAST = 5


def main():
    arguments = parsed()
    # The reference kernels: the others lose some accuracy for speed, and not all the same amount.
    interpreter = Interpreter(
        model_path=str(arguments.model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    answers = {path.name: answer(interpreter, path) for path in sorted(arguments.pictures.iterdir())}
    lines = (f"    {json.dumps(name)}: {json.dumps(classes)}" for name, classes in answers.items())
    print("{\n" + ",\n".join(lines) + "\n}")


def answer(interpreter, path):
    """Returns the likely classes of one image: index and confidence."""
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    _, height, width, _ = taken["shape"]
    with Image.open(path) as picture:
        picture = ImageOps.exif_transpose(picture).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    interpreter.set_tensor(taken["index"], np.asarray(picture, dtype=taken["dtype"])[None])
    interpreter.invoke()
    # Unscaled bytes: the confidence in the usual services on WasmEdge.
    likely = [(index, int(score)) for index, score in enumerate(interpreter.get_tensor(given["index"])[0]) if score >= LEAST]
    return sorted(likely, key=lambda class_: (-class_[1], class_[0]))


def parsed():
    data = os.environ.get("TESTDATA_DIR")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="a .tflite (default: models/mobilenet-v2/model.tflite in TESTDATA_DIR)")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures (default: images in TESTDATA_DIR)")
    arguments = parser.parse_args()
    if data is None and None in (arguments.model, arguments.pictures):
        parser.error("TESTDATA_DIR is not set: name --model and --pictures")
    arguments.model = arguments.model or Path(data) / "models/mobilenet-v2/model.tflite"
    arguments.pictures = arguments.pictures or Path(data) / "images"
    for path in (arguments.model, arguments.pictures):
        if not path.exists():
            sys.exit(f"ask.py: {path} does not exist")
    return arguments


if __name__ == "__main__":
    main()
