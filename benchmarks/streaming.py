"""P4, sets that do not fit: pictures a second out of compressed packs, and the memory that takes.

    python benchmarks/streaming.py --folder /somewhere/with/50/GB

The large packs repeat 500 faces of noise on soft shapes (about 43 kB each as JPEG) up to the size
of AffectNet and of Clothing1M. Rows are read in random order, as an epoch does, without training on
them. Each case runs in a process of its own. A pack that fits into memory is read from there, since
it was just written, as in every epoch but the first. Memory is what the process holds of its own
(the file's pages, which the system takes back when it needs them, are not counted), after the first
steps and at the end.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from environment import describe_environment, measured_alone, own_mebibytes
from ferclean.config.training import TrainingSettings
from ferclean.tables.atomic import write_json
from ferclean.tables.face_packs import Encoding, encode_face, face_pack_writer, read_face_pack
from ferclean.train.pictures import Pictures

_RECORD = Path(__file__).parent / "results" / "p4_streaming.json"
_SIZE, _BATCH, _DISTINCT, _FIRST_STEPS = 224, 128, 500, 40
# Name, encoding, rows of the pack, rows that are read, threads.
_CASES: tuple[tuple[str, Encoding, int, int, int], ...] = (
    ("raw", "raw", 20_000, 20_000, 1),
    ("png", "png", 20_000, 20_000, 1),
    ("jpeg", "jpeg", 20_000, 20_000, 1),
    ("jpeg", "jpeg", 20_000, 20_000, 2),
    ("AffectNet", "jpeg", 284_000, 284_000, 2),
    ("Clothing1M", "jpeg", 1_000_000, 200_000, 2),
)


def main() -> None:
    """Measure every case, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--inner", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inner is not None:
        print(json.dumps(_measure(chosen.folder, *_CASES[chosen.inner])))
        return
    record = {
        "protocol": "p4_streaming",
        "command": "python benchmarks/streaming.py --folder FOLDER",
        "size": _SIZE,
        "batch": _BATCH,
        "environment": describe_environment("cpu"),
        "cases": [
            measured_alone(__file__, "--folder", str(chosen.folder), "--inner", str(number))
            for number in range(len(_CASES))
        ],
    }
    write_json(_RECORD, record)


def _measure(
    folder: Path, name: str, encoding: Encoding, rows: int, read: int, threads: int
) -> dict[str, Any]:
    path = folder / f"{name}.pack"
    start = time.perf_counter()
    _write(path, encoding, rows)
    written = time.perf_counter() - start
    settings = TrainingSettings(pictures="streamed", cpu_threads=threads)
    torch.set_num_threads(1)
    pictures = Pictures(
        read_face_pack(path), np.arange(rows), device=torch.device("cpu"), settings=settings
    )
    order = np.random.default_rng(0).permutation(rows)[:read]
    walk = ({"all": order[i : i + _BATCH]} for i in range(0, read, _BATCH))
    first = last = 0.0
    start = time.perf_counter()
    for step, fetched in enumerate(pictures.fetch(walk)):
        if fetched["all"][1].shape[1:] != (3, _SIZE, _SIZE):
            raise ValueError(f"found pictures of {fetched['all'][1].shape}")
        last = own_mebibytes()
        first = last if step == _FIRST_STEPS else first
    seconds = time.perf_counter() - start
    size = path.stat().st_size
    path.unlink()
    return {
        "name": name,
        "encoding": encoding,
        "rows": rows,
        "rows_read": read,
        "threads": threads,
        "pack_mebibytes": round(size / 2**20),
        "write_seconds": round(written, 1),
        "pictures_per_second": round(read / seconds),
        "mebibytes_at_first": round(first),
        "mebibytes_at_last": round(last),
    }


def _write(path: Path, encoding: Encoding, rows: int) -> None:
    random = np.random.default_rng(0)
    soft = random.integers(0, 256, (_DISTINCT, 8, 8, 3), dtype=np.uint8)
    faces = []
    for shape in soft:
        large = Image.fromarray(shape).resize((_SIZE, _SIZE), Image.Resampling.BICUBIC)
        noisy = np.asarray(large) + random.normal(0, 6, (_SIZE, _SIZE, 3))
        faces.append(encode_face(np.clip(noisy, 0, 255).astype(np.uint8), encoding))
    with face_pack_writer(path, size=_SIZE, channels=3, encoding=encoding) as writer:
        for row in range(rows):
            writer.append(faces[row % _DISTINCT])


if __name__ == "__main__":
    main()
