"""P4: images per second of a control epoch, against the bare step and a classic data loader.

    python benchmarks/throughput.py --device cpu
    python benchmarks/throughput.py --device cuda --model resnet18_3x3 --size 48

Three rates with the same network, batch and device, measured in turn several times: (a) the
ceiling, a forward-backward-step on one batch that never changes; (b) an epoch of the cross-entropy
control through the real trainer; (c) the loop that research code has: a torch DataLoader with PIL
transforms and 4 workers, float32, and each sample's weight looked up in Python.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from environment import describe_environment
from ferclean.config.methods.controls import CrossEntropySettings
from ferclean.config.training import ModelSettings, TrainingSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context
from ferclean.methods.cross_entropy import CrossEntropy
from ferclean.tables.atomic import write_json
from ferclean.train.device import arithmetic, autocast, choose_device
from ferclean.train.loop import run_pass
from ferclean.train.pictures import Pictures
from ferclean.train.state import Identity, TrainState, fresh_state

_CLASSES = 7


class PilPictures(Dataset):
    """The classic way: one PIL picture at a time."""

    def __init__(self, faces: np.ndarray, labels: np.ndarray, settings: TrainingSettings) -> None:
        self._faces, self._labels, shift = faces, labels, settings.augment.shift
        mean, scale = (
            list(v) * faces.shape[3] for v in (settings.normalise_mean, settings.normalise_scale)
        )
        self._transform = v2.Compose(
            [
                v2.RandomHorizontalFlip(),
                v2.RandomCrop(faces.shape[1], padding=shift, padding_mode="reflect"),
                v2.PILToTensor(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(mean, scale),
            ]
        )

    def __len__(self) -> int:
        return len(self._faces)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int, int]:
        picture = Image.fromarray(self._faces[row].squeeze())
        return self._transform(picture), int(self._labels[row]), row


class Bench:
    """One network, one data set, three ways to feed it."""

    def __init__(self, options: argparse.Namespace) -> None:
        random = np.random.default_rng(0)
        channels = options.channels
        shape = (options.pictures, options.size, options.size, channels)
        self.faces = random.integers(0, 256, size=shape, dtype=np.uint8)
        self.labels = random.integers(_CLASSES, size=options.pictures)
        self.device = choose_device(options.device)
        self.settings = TrainingSettings(
            batch_size=options.batch,
            cpu_threads=options.threads,
            precision=options.precision,
            deterministic=not options.fast,
        )
        model = ModelSettings(name=options.model)
        self.identity = Identity(
            "cross_entropy", tuple("abcdefg"), channels, options.size, 0, (0.5,), (0.25,), model
        )
        self.pictures = Pictures(
            self.faces, np.arange(len(self.faces)), device=self.device, settings=self.settings
        )

    def _state(self) -> TrainState:
        return fresh_state(self.identity, 1, self.settings.optimizer, self.device)

    def ceiling(self) -> float:
        """Images per second of a step on a resident batch."""
        state = self._state()
        state.networks[0].train()
        walk = [{"all": np.arange(self.settings.batch_size)}]
        rows, found = next(self.pictures.fetch(walk))["all"]
        (pictures,) = self.pictures.views(found, 1, torch.Generator(self.device))
        targets = torch.from_numpy(self.labels[: len(rows)]).to(self.device)
        steps = len(self.faces) // len(rows)
        start = self._clock()
        for _ in range(steps):
            self._step(state, pictures, targets)
        return steps * len(rows) / (self._clock() - start)

    def epoch(self) -> float:
        """Images per second of the real trainer."""
        recipe = CrossEntropy(CrossEntropySettings())
        context = Context(self.labels, _CLASSES, 0, self.settings, self.device)
        (work,) = recipe.warm_up(context)
        start = self._clock()
        report = run_pass(work, 0, self._state(), self.pictures, self.settings, seed=0)
        return report.pictures / (self._clock() - start)

    def classic(self) -> float:
        """Images per second of a DataLoader with four workers, worker start left out."""
        state = self._state()
        state.networks[0].train()
        weights = dict.fromkeys(range(len(self.faces)), 1.0)
        loader = DataLoader(
            PilPictures(self.faces, self.labels, self.settings),
            self.settings.batch_size,
            shuffle=True,
            num_workers=4,
            drop_last=True,
        )
        batches, seen = iter(loader), 0
        self._feed(state, next(batches), weights)
        start = self._clock()
        for batch in batches:
            self._feed(state, batch, weights)
            seen += len(batch[1])
        return seen / (self._clock() - start)

    def _feed(
        self, state: TrainState, batch: list[torch.Tensor], weights: dict[int, float]
    ) -> None:
        pictures, targets, rows = batch
        weight = torch.tensor([weights[int(row)] for row in rows])
        logits = state.networks[0](pictures.to(self.device))
        loss = cross_entropy(logits, targets.to(self.device)) * weight.to(self.device)
        self._update(state, loss.mean())

    def _step(self, state: TrainState, pictures: torch.Tensor, targets: torch.Tensor) -> None:
        with autocast(self.device, self.settings.precision):
            loss = cross_entropy(state.networks[0](pictures), targets).mean()
        self._update(state, loss)

    def _update(self, state: TrainState, loss: torch.Tensor) -> None:
        optimizer = state.optimizers[0]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def _clock(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def main() -> None:
    """Measure in turn, print medians and ratios, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--model", default="tiny48")
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--pictures", type=int, default=6400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--fast", action="store_true", help="not deterministic")
    options = parser.parse_args()
    bench = Bench(options)
    ways = {"ceiling": bench.ceiling, "epoch": bench.epoch, "classic_loader": bench.classic}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with arithmetic(bench.device, bench.settings):
        bench.ceiling()  # warm the caches and the allocator
        for _ in range(options.repeats):
            for name, way in ways.items():
                rates[name].append(way())
    _report(rates, options)


def _report(rates: dict[str, list[float]], options: argparse.Namespace) -> None:
    pairs = list(zip(*rates.values(), strict=True))
    record: dict[str, Any] = {
        "protocol": "p4_training_step",
        "command": " ".join(["python benchmarks/throughput.py", *sys.argv[1:]]),
        "options": vars(options),
        "environment": describe_environment(options.device),
        "images_per_second": rates,
        "epoch_share_of_ceiling": [epoch / ceiling for ceiling, epoch, _ in pairs],
        "epoch_over_classic_loader": [epoch / classic for _, epoch, classic in pairs],
    }
    for key in ("epoch_share_of_ceiling", "epoch_over_classic_loader"):
        record[f"median_{key}"] = statistics.median(record[key])
        print(f"{key}: median {record[f'median_{key}']:.3f} of {len(pairs)}")
    name = f"p4_{options.device}_{options.model}_{options.size}.json"
    write_json(Path(__file__).parent / "results" / name, record)


if __name__ == "__main__":
    main()
