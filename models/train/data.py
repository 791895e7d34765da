"""Images from a directory or a tar, as one array in memory.

The layout is `train/LABEL/NAME` and `test/LABEL/NAME`, with images in any format that Pillow reads. Small images are a
few hundred megabytes at most, so that reading them again in every epoch would gain nothing.
"""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

SIDE = 32
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

# Default path of the images, below TESTDATA_DIR.
USUAL_PLACE = "datasets/cifar10-images.tar"


class DataError(Exception):
    """The images are unsuitable for training; the message is for the user."""


class Pictures:
    """Images [n, 3, side, side] of bytes, their classes [n], and the names of the classes."""

    def __init__(self, pixels, classes, labels):
        self.pixels, self.classes, self.labels = pixels, classes, labels

    def __len__(self):
        return len(self.classes)

    def take(self, places):
        """Returns the images at these indices."""
        return Pictures(self.pixels[places], self.classes[places], self.labels)


def place_of(argument):
    """Returns the given path, or the default one in TESTDATA_DIR."""
    if argument:
        return Path(argument)
    folder = os.environ.get("TESTDATA_DIR")
    if not folder:
        raise DataError(f"say where the pictures are: --data PATH, or TESTDATA_DIR with {USUAL_PLACE} in it")
    return Path(folder) / USUAL_PLACE


def load(place, part):
    """Reads all images of one part, `train` or `test`, in the order of their paths."""
    found = sorted(of_part(entries(place), part))
    if not found:
        raise DataError(f"`{place}` has no {part}/LABEL/PICTURE in it")
    labels = sorted({label for label, _, _ in found})
    pixels = np.empty((len(found), 3, SIDE, SIDE), np.uint8)
    for at, (label, name, contents) in enumerate(tqdm(found, desc=f"reading {part}", unit="picture", mininterval=1)):
        try:
            pixels[at] = small(Image.open(io.BytesIO(contents)))
        except (UnidentifiedImageError, OSError) as error:
            raise DataError(f"{part}/{label}/{name} is no picture: {error}") from error
    classes = np.array([labels.index(label) for label, _, _ in found], np.int64)
    return Pictures(pixels, classes, labels)


def small(picture):
    """Converts an image to three planes of SIDE x SIDE bytes."""
    picture = picture.convert("RGB")
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(picture).transpose(2, 0, 1)


def entries(place):
    """Yields pairs of a path inside and a function that reads the file, valid until the next pair."""
    if place.is_dir():
        yield from ((path.relative_to(place).as_posix(), path.read_bytes) for path in place.rglob("*") if path.is_file())
        return
    if not place.is_file():
        raise DataError(f"`{place}` does not exist")
    try:
        with tarfile.open(place) as archive:
            yield from ((member.name, archive.extractfile(member).read) for member in archive if member.isfile())
    except tarfile.TarError as error:
        raise DataError(f"`{place}` is neither a folder nor a tar: {error}") from error


def of_part(found, part):
    """Yields triples of label, name and contents of the images below `part`."""
    for path, read in found:
        pieces = path.removeprefix("./").split("/")
        if len(pieces) == 3 and pieces[0] == part and pieces[2].lower().endswith(SUFFIXES):
            yield pieces[1], pieces[2], read()


def hold_out(pictures, count, seed):
    """Splits off `count` images for tuning and calibration, equally many of each class, from the training set."""
    each = count // len(pictures.labels)
    order = np.random.default_rng(seed).permutation(len(pictures))
    held = np.concatenate([order[pictures.classes[order] == one][:each] for one in range(len(pictures.labels))])
    kept = np.setdiff1d(order, held)
    if each == 0 or len(kept) == 0:
        raise DataError(f"{len(pictures)} pictures of {len(pictures.labels)} classes are too few to hold out {count}")
    return pictures.take(kept), pictures.take(np.sort(held))
