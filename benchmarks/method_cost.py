"""What every method costs: images per second of its epochs, and which part takes how much.

    python benchmarks/method_cost.py
    python benchmarks/method_cost.py --device cuda --model resnet18_3x3 --pictures 30000

Rendered faces with 40 % flips, one epoch of warm-up, then two epochs that are measured: training
passes, looking at the training rows, judging them (mixtures, neighbours, graphs, relabelling, the
choice of passes), and the predictions of held-out rows. Images per second are training rows times
epochs by all of this time. Nothing here says how good a method is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from environment import describe_environment
from ferclean.config.load import Settings, build_settings
from ferclean.config.methods import METHOD_NAMES
from ferclean.config.side_inputs import side_inputs
from ferclean.methods import runner
from ferclean.methods.runner import History
from ferclean.steps.training_inputs import RunFiles, open_training
from ferclean.tables.atomic import write_json
from protocol_steps import in_work, inject, make_side_inputs, prepare

_SETTING = "symmetric-0.4-seed0"
_EPOCHS = 2
_PARTS = ("training", "looking", "judging", "predicting")


class Stopwatch:
    """Seconds of named functions without those that they call."""

    def __init__(self, device: str) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._device, self._inner = device, [0.0]

    def timed(
        self, name_of: Callable[..., str], function: Callable[..., Any]
    ) -> Callable[..., Any]:
        """Return the function, timed under what `name_of` makes of its arguments."""

        def call(*given: Any, **named: Any) -> Any:
            start = self.now()
            self._inner.append(0.0)
            try:
                return function(*given, **named)
            finally:
                taken = self.now() - start
                self.seconds[name_of(*given)] += taken - self._inner.pop()
                self._inner[-1] += taken

        return call

    def now(self) -> float:
        """Return the clock once the device has done what it was told."""
        if self._device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def main() -> None:
    """Measure every method, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--model", default="tiny48")
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--channels", type=int, default=1, choices=[1, 3])
    parser.add_argument("--pictures", type=int, default=6000)
    parser.add_argument("--methods", nargs="+", default=METHOD_NAMES)
    options = parser.parse_args()
    settings_raw = _params(options)
    settings = build_settings(settings_raw)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prepare(work, settings)
        inject(work, _SETTING, settings)
        for method in options.methods:
            for name, path in side_inputs(method, _SETTING).items():
                make_side_inputs(work, name, path, settings_raw, options.device)
            found[method] = _measure(work, method, settings, options.device)
            print(method, found[method], flush=True)
    record = {
        "protocol": "p4_methods",
        "command": " ".join(["python benchmarks/method_cost.py", *sys.argv[1:]]),
        "params": settings_raw,
        "environment": describe_environment(options.device),
        "methods": found,
    }
    name = f"p4_methods_{options.device}_{options.model}_{options.size}.json"
    write_json(Path(__file__).parent / "results" / name, record)


def _params(options: argparse.Namespace) -> dict[str, Any]:
    color = "grey" if options.channels == 1 else "rgb"
    rendered = {"pictures": options.pictures, "image_size": max(64, options.size), "seed": 0}
    return {
        "data": {"source": "rendered", "rendered": rendered},
        "align": {"detector": "already_aligned", "size": options.size, "color": color},
        "grid": {"methods": ["smr"], "noise": "symmetric", "rates": 0.4, "seeds": 0},
        "model": {"name": options.model},
        # No detector, no landmarks.
        "methods": {"la_net": {"second_space": "none"}, "ldl_alsg": {"space": "features"}},
        "training": {
            "warm_up_epochs": 1,
            "rounds": 1,
            "epochs_per_round": _EPOCHS,
            "optimizer": {"name": "adam", "learning_rate": 0.001, "schedule": "constant"},
        },
    }


def _measure(work: Path, method: str, settings: Settings, device: str) -> dict[str, Any]:
    noise = work / "noise" / _SETTING
    labels = noise / ("oracle_clean.parquet" if method == "oracle_clean" else "labels.parquet")
    side = {n: in_work(work, path) for n, path in side_inputs(method, _SETTING).items()}
    faces = work / "prepare" / "align" / "faces.pack"
    with open_training(RunFiles(faces, labels, method, 0, device, settings, side)) as inputs:
        run, state = inputs.run, inputs.fresh_state()
        for until in (1, 1 + _EPOCHS):
            watch = Stopwatch(device)
            start = watch.now()
            with _watched(watch):
                runner.run_epochs(
                    run,
                    state,
                    History(),
                    until=until,
                    first_split=None,
                    after_epoch=lambda *_: None,
                )
        seconds = watch.now() - start
        rows = len(run.training)
    return {
        "rows": rows,
        "networks": len(state.networks),
        "images_per_second": round(_EPOCHS * rows / seconds),
        "shares": {part: round(watch.seconds[part] / seconds, 4) for part in _PARTS},
    }


@contextmanager
def _watched(watch: Stopwatch) -> Iterator[None]:
    def looked(run: Any, pictures: Any, state: Any) -> str:
        return "looking" if pictures is run.training else "predicting"

    parts: dict[str, Callable[..., str]] = {
        "run_pass": lambda *_: "training",
        "look": looked,
        "_plan_epoch": lambda *_: "judging",
        "_note_predictions": lambda *_: "predicting",
    }
    with ExitStack() as patches:
        for name, name_of in parts.items():
            timed = watch.timed(name_of, getattr(runner, name))
            patches.enter_context(patch.object(runner, name, timed))
        yield


if __name__ == "__main__":
    main()
