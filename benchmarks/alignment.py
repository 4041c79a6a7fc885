"""Compare batched face detection with MTCNN called one picture at a time.

    python benchmarks/alignment.py

Both work on the same rendered pictures, on the same cores, in alternating turns of 100 pictures,
so that other work on the machine slows all alike. The library is timed with all threads and with
one, and the better of the two counts in every turn; the speed-up is the median over the turns.
The record goes to ``benchmarks/results/alignment.json``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from environment import describe_environment
from ferclean.config.data import CANONICAL_CLASSES, RenderedSettings
from ferclean.config.load import build_settings
from ferclean.datasets.rendered.plan import plan_faces
from ferclean.datasets.rendered.render import encode_jpeg, render_face
from ferclean.faces.detect import Faces, make_faces
from ferclean.faces.mtcnn import MtcnnDetector
from ferclean.steps.align import align
from ferclean.tables.atomic import write_json
from ferclean.tables.labels import make_table, write_label_table
from ferclean.tables.packs import encoded_pack

PICTURES_PER_TURN = 100
STEP_REPEATS = 3


def main() -> None:
    """Parse the command line, measure, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--size", type=int, default=160, help="height and width in pixels")
    parser.add_argument("--seed", type=int, default=0, help="seed of the rendered pictures")
    parser.add_argument("--threads", type=int, help="CPU threads of torch (default: its own)")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    output = Path(__file__).parent / "results" / "alignment.json"
    parser.add_argument("--output", type=Path, default=output)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    record = measure(options)
    write_json(options.output, record)
    print(f"{record['speed_up']} times the images per second of one picture at a time")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Time all ways of detection in turn and compare what they find."""
    settings = RenderedSettings(
        pictures=options.pictures, image_size=options.size, seed=options.seed
    )
    plan = plan_faces(settings, CANONICAL_CLASSES)
    rows: list[Mapping[str, Any]] = plan.to_dict("records")  # type: ignore[assignment]
    pictures = [render_face(row, options.size) for row in rows]
    threads = torch.get_num_threads()
    detector = MtcnnDetector(device=options.device)
    library = MTCNN(keep_all=True, device=torch.device(options.device))
    ways: dict[str, Callable[[list[np.ndarray]], list[Faces]]] = {
        "batched": detector.detect,
        "one_by_one_all_threads": lambda some: one_by_one(library, some, threads),
        "one_by_one_one_thread": lambda some: one_by_one(library, some, 1),
    }
    for way in ways.values():
        way(pictures[:8])  # warm up
    found: dict[str, list[Faces]] = {name: [] for name in ways}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for start in range(0, len(pictures), PICTURES_PER_TURN):
        turn = pictures[start : start + PICTURES_PER_TURN]
        for name, way in ways.items():
            torch.set_num_threads(threads)
            started = time.perf_counter()
            found[name] += way(turn)
            rates[name].append(round(len(turn) / (time.perf_counter() - started), 1))
    torch.set_num_threads(threads)
    turns = zip(*rates.values(), strict=True)
    speed_ups = [round(batched / max(*others), 2) for batched, *others in turns]
    environment = describe_environment(options.device)
    environment["packages"]["facenet-pytorch"] = version("facenet-pytorch")
    return {
        "command": "python benchmarks/alignment.py",
        "params": {k: v for k, v in vars(options).items() if k != "output"},
        "environment": {**environment, "threads": threads},
        "images_per_second": rates,
        "speed_up": round(median(speed_ups), 2),
        "speed_up_by_turn": speed_ups,
        "whole_step_images_per_second": step_rates(pictures),
        "detected": sum(len(faces) > 0 for faces in found["batched"]) / len(pictures),
        "agreement": agreement(found["batched"], found["one_by_one_all_threads"]),
    }


def one_by_one(library: MTCNN, pictures: list[np.ndarray], threads: int) -> list[Faces]:
    """Call the library as its own examples do."""
    torch.set_num_threads(threads)
    return [
        make_faces(*library.detect(Image.fromarray(picture), landmarks=True))
        for picture in pictures
    ]


def agreement(mine: list[Faces], library: list[Faces]) -> dict[str, float]:
    """Return the share of pictures with as many faces, and the largest landmark distance there."""
    same = [(a, b) for a, b in zip(mine, library, strict=True) if len(a) == len(b)]
    distances = [np.abs(a.landmarks - b.landmarks).max(initial=0) for a, b in same]
    return {"same_number_of_faces": len(same) / len(mine), "largest_pixels": max(distances)}


def step_rates(pictures: list[np.ndarray]) -> list[float]:
    """Time the whole step: read, decode, detect, warp to 112 pixels, write."""
    names = [f"{row:05d}" for row in range(len(pictures))]
    frame = pd.DataFrame({"sample_id": names, "path": names, "split": "train", "given": "happy"})
    settings = build_settings({"data": {}, "align": {"size": 112}}, ["data", "align"])
    with tempfile.TemporaryDirectory() as folder:
        samples, pack = Path(folder) / "samples.parquet", Path(folder) / "pictures.arrow"
        write_label_table(make_table(frame, CANONICAL_CLASSES, "rendered"), samples)
        with encoded_pack(pack, zip(names, map(encode_jpeg, pictures), strict=True)):
            pass
        output = Path(folder) / "align"
        rates = []
        for _ in range(STEP_REPEATS):
            start = time.perf_counter()
            align(samples=samples, pictures=pack, output=output, settings=settings)
            rates.append(round(len(pictures) / (time.perf_counter() - start), 1))
    return rates


if __name__ == "__main__":
    main()
