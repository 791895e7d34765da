"""Tests on generated images: `python -m unittest` in this directory, in seconds and without downloads."""

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

# Before tqdm is imported: tests show no progress.
os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import torch
from PIL import Image

import calibration
import card
import data
import graph
from evaluate import confusion
from export import run
from network import Network, logits_of
from recipe import Recipe, batches, moved, rate_at
from train import Run

HERE = Path(__file__).parent
COLOURS = {"blue": (20, 40, 220), "green": (30, 200, 60), "red": (220, 30, 40)}


def draw(folder, part, each):
    """Images of three colours, with some noise so that no two are equal."""
    rng = np.random.default_rng(1)
    for label, colour in COLOURS.items():
        (folder / part / label).mkdir(parents=True)
        for number in range(each):
            pixels = np.clip(np.array(colour) + rng.normal(0, 20, (data.SIDE, data.SIDE, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / part / label / f"{number:04}.png")


class Data(unittest.TestCase):
    def test_a_folder_and_a_tar_of_it_are_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            draw(folder / "pictures", "train", 4)
            with tarfile.open(folder / "pictures.tar", "w") as archive:
                archive.add(folder / "pictures", ".")
            one, other = data.load(folder / "pictures", "train"), data.load(folder / "pictures.tar", "train")
        self.assertEqual((one.labels, len(one)), (["blue", "green", "red"], 12))
        self.assertTrue((one.pixels == other.pixels).all() and (one.classes == other.classes).all())

    def test_mistakes_are_told_in_words(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            with self.assertRaisesRegex(data.DataError, "does not exist"):
                data.load(folder / "nowhere", "train")
            with self.assertRaisesRegex(data.DataError, "no train/LABEL/PICTURE"):
                data.load(folder, "train")
            (folder / "train/cat").mkdir(parents=True)
            (folder / "train/cat/a.jpg").write_bytes(b"no picture")
            with self.assertRaisesRegex(data.DataError, "train/cat/a.jpg is no picture"):
                data.load(folder, "train")

    def test_what_is_held_out_is_balanced_and_not_trained_on(self):
        pixels = np.arange(30, dtype=np.uint8)[:, None, None, None]
        kept, held = data.hold_out(data.Pictures(pixels, np.arange(30) % 3, list("abc")), 6, 1)
        self.assertEqual(np.bincount(held.classes).tolist(), [2, 2, 2])
        self.assertEqual(sorted([*kept.pixels.ravel(), *held.pixels.ravel()]), list(range(30)))


class Variation(unittest.TestCase):
    def test_the_learning_rate_rises_once_and_falls_twice(self):
        recipe = Recipe(epochs=8, rate=1.0, warm_up=0.25, polish=2, polish_rate=0.1)
        rates = [round(rate_at(recipe, at), 3) for at in (0, 2, 5, 7.999, 8, 9, 10)]
        self.assertEqual(rates, [0.004, 1, 0.5, 0, 0.1, 0.05, 0])

    def test_pictures_are_whole_at_the_end(self):
        pixels = np.repeat(np.array([0, 255], np.uint8), 8)[:, None, None, None] * np.ones((1, 3, 32, 32), np.uint8)
        pictures = data.Pictures(pixels, np.arange(16) // 8, list("ab"))
        recipe = Recipe(epochs=1, polish=1, batch=16, mix=1.0)
        mixed, whole = (next(iter(batches(pictures, recipe, 1, epoch)))[1] for epoch in (0, 1))
        self.assertTrue(((mixed > 0) & (mixed < 1)).any())
        self.assertFalse(((whole > 0) & (whole < 1)).any())

    def test_an_epoch_is_the_same_whenever_it_is_asked_for(self):
        rng = np.random.default_rng(2)
        pictures = data.Pictures(rng.integers(0, 256, (9, 3, 32, 32), np.uint8), np.arange(9) % 3, list("abc"))
        first, again, next_one = (list(batches(pictures, Recipe(batch=4), 1, epoch)) for epoch in (0, 0, 1))
        self.assertEqual([x.shape[0] for x, _ in first], [4, 4])
        self.assertTrue(all(torch.equal(a, b) for (a, _), (b, _) in zip(first, again)))
        self.assertFalse(torch.equal(first[0][0], next_one[0][0]))

    def test_moving_takes_pixels_from_the_picture_only(self):
        pixels = np.arange(32, dtype=np.uint8)[None, None, None, :].repeat(3, 1).repeat(32, 2).repeat(64, 0)
        changed = moved(pixels, 4, np.random.default_rng(3))
        steps = np.abs(np.diff(changed.astype(int), axis=3))
        self.assertTrue((steps == 1).all(), "neighbours stay neighbours, at the edge too")


class Calibration(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(4)
        honest = rng.normal(0, 2, (4000, 5))
        self.classes = np.array([rng.choice(5, p=p) for p in calibration.probabilities(honest)])
        self.boastful = honest * 3

    def test_the_temperature_undoes_boasting(self):
        temperature = calibration.temperature_of(self.boastful, self.classes)
        self.assertAlmostEqual(temperature, 3, delta=0.25)
        before = calibration.expected_error(calibration.probabilities(self.boastful), self.classes)
        after = calibration.expected_error(calibration.probabilities(self.boastful, temperature), self.classes)
        self.assertLess(after, 0.03)
        self.assertGreater(before, 3 * after)

    def test_above_the_threshold_enough_answers_are_right(self):
        sure_of = calibration.probabilities(self.boastful, 3)
        threshold = calibration.threshold_of(sure_of, self.classes)
        share, right = calibration.sure_part(sure_of, self.classes, threshold)
        self.assertGreaterEqual(right, calibration.SURE)
        self.assertTrue(0 < share < 1)


class Export(unittest.TestCase):
    def test_the_file_answers_as_the_network_does(self):
        torch.manual_seed(5)
        network = Network(10)
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.uniform_(-1, 1)
                part.running_var.uniform_(0.5, 2)
        pixels = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
        def looks():
            return (logits_of(network, seen).numpy() for seen in (pixels, pixels.flip(3)))
        def leads(logits):
            best = np.sort(logits, axis=1)
            return best[:, -1] - best[:, -2]
        network.head.weight.data.mul_(graph.LEAD / float(np.median(leads(next(looks())))))
        first, second = looks()
        is_close = leads(first) < graph.LEAD
        self.assertTrue(is_close.any() and not is_close.all(), "some of each kind")
        expected = np.where(is_close[:, None], (first + second) / 2, first) / 2
        answers = run(graph.model_of(network, 2.0, {}).SerializeToString(), pixels.numpy())
        self.assertLess(np.abs(answers - expected).max(), 0.02 * np.abs(expected).max())

    def test_the_picture_of_mistakes_has_every_count(self):
        table = confusion(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), 3)
        self.assertEqual(table.tolist(), [[1, 0, 0], [0, 1, 0], [0, 1, 1]])
        self.assertEqual(card.drawn(table, ["a", "b", "c"]).count("<rect"), 10)


class Interruption(unittest.TestCase):
    def test_a_training_that_was_cut_in_two_ends_like_one_that_was_not(self):
        rng = np.random.default_rng(6)
        pictures = data.Pictures(rng.integers(0, 256, (40, 3, 32, 32), np.uint8), np.arange(40) % 3, list("abc"))
        recipe = Recipe(epochs=1, polish=1, batch=16, rate=0.01)
        ends = []
        with tempfile.TemporaryDirectory() as folder:
            for name, cut in (("whole", False), ("cut", True)):
                (Path(folder) / name).mkdir()
                arguments = argparse.Namespace(seed=1, held_out=0, out=Path(folder) / name)
                if cut:
                    half = Run(recipe, arguments, pictures)
                    half.learn(pictures)
                    half.epoch = 1
                    half.save()
                run = Run(recipe, arguments, pictures)
                with contextlib.redirect_stdout(io.StringIO()):
                    run.resume()
                    self.assertEqual(run.epoch, int(cut))
                    run.finish(pictures, pictures)
                ends.append(run.average.network.state_dict())
        for name, weights in ends[0].items():
            self.assertTrue(torch.allclose(weights, ends[1][name], atol=1e-5), name)


class Commands(unittest.TestCase):
    def command(self, *arguments):
        return subprocess.run([sys.executable, *map(str, arguments)], cwd=HERE, capture_output=True, text=True, timeout=300)

    def test_from_pictures_to_a_model_card_and_on_after_an_interruption(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            draw(folder / "pictures", "train", 24)
            draw(folder / "pictures", "test", 4)
            places = ["--data", folder / "pictures", "--out", folder / "run"]
            training = ["train.py", *places, "--epochs", 2, "--polish", 1, "--batch", 16, "--held-out", 12, "--rate", 0.05]
            self.assertIn("epoch 3/3", self.command(*training).stdout)
            again = self.command(*training)
            self.assertIn("going on after epoch 3", again.stdout)
            self.assertNotIn("epoch 1/3", again.stdout)
            other = self.command(*training, "--seed", 7)
            self.assertEqual((other.returncode, "other settings" in other.stderr), (1, True))
            draw(folder, "others", 4)
            doubt = ["doubt.py", "--others", folder / "others", "--pictures", 12]
            for script in (["export.py"], doubt, ["evaluate.py", "--held-out"], ["evaluate.py"]):
                done = self.command(*script, *places, "--model", folder / "model")
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((folder / "model/labels.txt").read_text(), "blue\ngreen\nred\n")
            self.assertIn("were used once", (folder / "model/MODEL_CARD.md").read_text())

    def test_help_and_a_missing_path_need_no_traceback(self):
        for script in ("train.py", "export.py", "doubt.py", "evaluate.py"):
            self.assertIn("--data", self.command(script, "--help").stdout)
        missing = self.command("train.py", "--data", "nowhere")
        self.assertEqual((missing.returncode, missing.stderr.strip()), (1, "error: `nowhere` does not exist"))


if __name__ == "__main__":
    unittest.main()
