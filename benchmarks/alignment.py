"""Compare batched face detection with MTCNN called one picture at a time.

    python benchmarks/alignment.py

Both work on the same rendered pictures, on the same cores, in alternating turns of one run. The
library is timed with all threads and with one, and the better of the two counts. The record goes
to ``benchmarks/results/alignment.json``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
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
from ferclean.tables.packs import write_encoded_pack


def main() -> None:
    """Parse the command line, measure, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--size", type=int, default=160, help="height and width in pixels")
    parser.add_argument("--seed", type=int, default=0, help="seed of the rendered pictures")
    parser.add_argument("--repeats", type=int, default=3)
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
    pictures = [render_face(row, options.size) for row in plan.to_dict("records")]
    threads = torch.get_num_threads()
    detector = MtcnnDetector(device=options.device)
    library = MTCNN(keep_all=True, device=torch.device(options.device))
    ways: dict[str, Callable[[], list[Faces]]] = {
        "batched": lambda: detector.detect(pictures),
        "one_by_one_all_threads": lambda: one_by_one(library, pictures, threads),
        "one_by_one_one_thread": lambda: one_by_one(library, pictures, 1),
    }
    detector.detect(pictures[:32])
    one_by_one(library, pictures[:8], threads)
    found: dict[str, list[Faces]] = {}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            found[name] = way()
            rates[name].append(round(len(pictures) / (time.perf_counter() - start), 1))
    torch.set_num_threads(threads)
    middle = {name: median(values) for name, values in rates.items()}
    best = max(value for name, value in middle.items() if name != "batched")
    environment = describe_environment(options.device)
    environment["packages"]["facenet-pytorch"] = version("facenet-pytorch")
    return {
        "command": "python benchmarks/alignment.py",
        "params": {k: v for k, v in vars(options).items() if k != "output"},
        "environment": {**environment, "threads": threads},
        "images_per_second": rates,
        "speed_up": round(middle["batched"] / best, 2),
        "whole_step_images_per_second": step_rates(pictures, options.repeats),
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


def step_rates(pictures: list[np.ndarray], repeats: int) -> list[float]:
    """Time the whole step: read, decode, detect, warp to 112 pixels, write."""
    names = [f"{row:05d}" for row in range(len(pictures))]
    frame = pd.DataFrame({"sample_id": names, "path": names, "split": "train", "given": "happy"})
    settings = build_settings({"data": {}, "align": {"size": 112}}, ["data", "align"])
    with tempfile.TemporaryDirectory() as folder:
        samples, pack = Path(folder) / "samples.parquet", Path(folder) / "pictures.arrow"
        write_label_table(make_table(frame, CANONICAL_CLASSES, "rendered"), samples)
        write_encoded_pack(pack, zip(names, map(encode_jpeg, pictures), strict=True))
        output = Path(folder) / "align"
        rates = []
        for _ in range(repeats):
            start = time.perf_counter()
            align(samples=samples, pictures=pack, output=output, settings=settings)
            rates.append(round(len(pictures) / (time.perf_counter() - start), 1))
    return rates


if __name__ == "__main__":
    main()
