"""Times ONNX Runtime: SECONDS MODEL PICTURE. Prints medians in milliseconds as JSON."""

import io
import json
import statistics
import sys
import time

import numpy
import onnxruntime
from PIL import Image

seconds, model, picture = float(sys.argv[1]), sys.argv[2], open(sys.argv[3], "rb").read()


def session(threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def median(once):
    once()
    times, begin = [], time.perf_counter()
    while not times or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        once()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


one, two = session(1), session(2)
source = two.get_inputs()[0]
first_is_colour = source.shape[1] == 3
takes_bytes = source.type == "tensor(uint8)"
shape = (1, 3, 224, 224) if first_is_colour else (1, 224, 224, 3)
pixels = numpy.full(shape, 127, numpy.uint8) if takes_bytes else numpy.full(shape, 0.5, numpy.float32)


def whole():
    image = Image.open(io.BytesIO(picture)).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
    found = numpy.asarray(image)[None]
    found = found if takes_bytes else found.astype(numpy.float32) / 255.0
    found = found.transpose(0, 3, 1, 2) if first_is_colour else found
    two.run(None, {source.name: found})[0].argmax()


print(json.dumps({
    "version": onnxruntime.__version__,
    "one": median(lambda: one.run(None, {source.name: pixels})),
    "two": median(lambda: two.run(None, {source.name: pixels})),
    "whole": median(whole),
}))
