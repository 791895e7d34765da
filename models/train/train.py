"""Trains the classifier and saves a checkpoint after every epoch; the same command resumes an interrupted training."""

import argparse
import dataclasses
import os
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional
from tqdm import tqdm

import data
from network import Network, logits_of, normalised
from recipe import Average, Recipe, batches, loss_of, optimizer_of, rate_at

SEED = 6
HELD_OUT = 2500

# Enough patches for their statistics.
WHITENING_PICTURES = 5000


def main():
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    recipe = Recipe(**{field.name: getattr(arguments, field.name) for field in dataclasses.fields(Recipe)})
    pictures = data.load(data.place_of(arguments.data), "train")
    training, held_out = data.hold_out(pictures, arguments.held_out, arguments.seed)
    if len(training) < recipe.batch:
        raise data.DataError(f"{len(training)} pictures are left for training, and a batch needs {recipe.batch}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, arguments, training)
    run.resume()
    run.finish(training, held_out)


class Run:
    """A training in progress: the contents of a checkpoint."""

    def __init__(self, recipe, arguments, training):
        torch.manual_seed(arguments.seed)
        self.recipe, self.seed = recipe, arguments.seed
        self.path = arguments.out / "checkpoint.pt"
        # Resuming with other settings would give a model that no command reproduces.
        self.settings = {**dataclasses.asdict(recipe), "seed": arguments.seed, "held_out": arguments.held_out}
        self.labels = training.labels
        self.network = Network(len(training.labels))
        self.network.whiten(normalised(torch.from_numpy(training.pixels[:: max(1, len(training) // WHITENING_PICTURES)])))
        self.network.to(memory_format=torch.channels_last)
        self.average = Average(self.network, recipe.average)
        self.optimizer = optimizer_of(self.network, recipe)
        self.epoch, self.seconds = 0, 0.0

    def resume(self):
        """Loads a checkpoint if there is one."""
        if not self.path.exists():
            return
        saved = torch.load(self.path, weights_only=True)
        if (saved["settings"], saved["labels"]) != (self.settings, self.labels):
            raise data.DataError(f"`{self.path}` is of a training with other settings or pictures; name another folder with --out")
        self.network.load_state_dict(saved["network"])
        self.average.network.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.epoch, self.seconds = saved["epoch"], saved["seconds"]
        print(f"going on after epoch {self.epoch}", flush=True)

    def save(self):
        """Writes beside the old checkpoint and then replaces it, so that a complete one always exists."""
        state = {
            "settings": self.settings,
            "labels": self.labels,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "seconds": self.seconds,
        }
        torch.save(state, self.path.with_suffix(".new"))
        os.replace(self.path.with_suffix(".new"), self.path)

    def finish(self, training, held_out):
        """Trains all missing epochs."""
        pixels, classes = torch.from_numpy(held_out.pixels), torch.from_numpy(held_out.classes)
        while self.epoch < self.recipe.all_epochs():
            started = time.monotonic()
            loss = self.learn(training)
            self.epoch += 1
            self.seconds += time.monotonic() - started
            self.save()
            logits = logits_of(self.average.network, pixels)
            right = (logits.argmax(1) == classes).float().mean().item()
            print(
                f"epoch {self.epoch}/{self.recipe.all_epochs()}: loss {loss:.3f}; held out: {100 * right:.2f} % right, "
                f"cross-entropy {functional.cross_entropy(logits, classes):.3f}; {self.seconds / 60:.0f} minutes",
                flush=True,
            )
        print(f"done: {self.path}")

    def learn(self, training):
        """Trains one epoch, and returns the mean loss."""
        self.network.train()
        count = len(training) // self.recipe.batch
        losses = 0.0
        pairs = batches(training, self.recipe, self.seed, self.epoch)
        bar = tqdm(pairs, total=count, desc=f"epoch {self.epoch + 1}/{self.recipe.all_epochs()}", unit="batch", mininterval=2)
        for place, (x, shares) in enumerate(bar):
            step = self.epoch * count + place
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(self.recipe, step / count)
            self.optimizer.zero_grad()
            loss = loss_of(self.network, x, shares, self.recipe)
            loss.backward()
            self.optimizer.step()
            self.average.update(self.network, step)
            losses += loss.item()
            bar.set_postfix(loss=f"{losses / (place + 1):.3f}", refresh=False)
        return losses / count


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", help=f"a folder or tar with train/LABEL/PICTURE; else {data.USUAL_PLACE} in TESTDATA_DIR")
    parser.add_argument("--out", type=Path, default=Path("run"), help="the folder of the checkpoint")
    parser.add_argument("--threads", type=int, default=2, help="how many cores to use; another number rounds otherwise")
    parser.add_argument("--seed", type=int, default=SEED, help="what all chance is derived from")
    parser.add_argument("--held-out", type=int, default=HELD_OUT, help="training pictures to tune and calibrate on")
    for field in dataclasses.fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default, help="of the recipe")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except data.DataError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; the same command goes on after the last whole epoch")
