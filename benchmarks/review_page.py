"""How fast the review page opens, and how soon it answers a key, in headless Chromium.

    python benchmarks/review_page.py

The page shows 5,000 doubtful labels with rendered faces of 48 x 48 and their look-alikes. *Open* is
the time from the call of the address to the painted page with its first faces, each time in a
browser without anything stored. *A key* is the time from the key event to the frame after it was
painted, decision, list and detail included. Needs Chromium on the path and playwright.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from environment import describe_environment
from ferclean.audit.findings import VERDICTS
from ferclean.config.data import CANONICAL_CLASSES, DataSettings, RenderedSettings
from ferclean.datasets.rendered.reader import read_rendered
from ferclean.report.review_page import ReviewRows
from ferclean.steps.review_page import write_review_page
from ferclean.tables.atomic import write_json
from ferclean.tables.labels import labels_from_codes

_RECORD = Path(__file__).parent / "results" / "review_page.json"
_SIZE, _DRAWN = 48, 700
# Each kind of decision, another label, moves and undo.
_KEYS = ("a", "k", "m", "x", "3", "ArrowRight", "ArrowDown", "u")
# Remember for every key how long it took from the event to the message after the next frame.
_WATCH = """() => {
  window.taken = [];
  addEventListener("keydown", (event) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => taken.push(performance.now() - event.timeStamp);
    channel.port2.postMessage(null);
  }), true);
}"""
# Resolve when every face in sight is decoded and drawn.
_PAINTED = """async () => {
  const faces = [...document.querySelectorAll(".face, #face")].map((e) => e.style.backgroundImage);
  const files = [...new Set(faces)].map((text) => text.slice(5, -2));
  await Promise.all(files.map((src) => Object.assign(new Image(), { src }).decode()));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return files.length;
}"""


def main() -> None:
    """Write a page, open it several times, press keys, and write down what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--keys", type=int, default=200)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "review"
        began = time.perf_counter()
        _write_page(page, chosen.rows)
        written = time.perf_counter() - began
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        address = (page / "index.html").as_uri()
        opened = [_open_seconds(browser, address) for _ in range(chosen.repeats)]
        answered = _key_milliseconds(browser, address, chosen.keys)
        record = {
            "command": "python benchmarks/review_page.py",
            "environment": describe_environment("cpu") | {"browser": browser.version},
            "load_average": round(os.getloadavg()[0], 1),  # other work beside the measurement
            "rows": chosen.rows,
            "page_bytes": (page / "index.html").stat().st_size,
            "sheets": len(list(page.glob("*.jpg"))),
            "sheet_bytes": sum(path.stat().st_size for path in page.glob("*.jpg")),
            "write_seconds": written,
            "open_seconds": _summary(opened),
            "key_milliseconds": _summary(answered),
        }
        browser.close()
    write_json(_RECORD, record)
    print(f"open {record['open_seconds']}, key {record['key_milliseconds']}")


def _summary(values: list[float]) -> dict[str, Any]:
    found = {"median": np.median(values), "p95": np.quantile(values, 0.95), "worst": max(values)}
    return {"measured": len(values)} | {name: round(float(v), 4) for name, v in found.items()}


def _open_seconds(browser: Browser, address: str) -> float:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    _wait_until_painted(page)
    taken = time.perf_counter() - began
    context.close()
    return taken


def _wait_until_painted(page: Page) -> None:
    page.wait_for_selector("html[data-ready]", state="attached")
    if page.evaluate(_PAINTED) < 1:
        raise RuntimeError("no face was drawn")


def _key_milliseconds(browser: Browser, address: str, count: int) -> list[float]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(address)
    _wait_until_painted(page)
    page.evaluate(_WATCH)
    for number in range(count):
        page.keyboard.press(_KEYS[number % len(_KEYS)])
        page.wait_for_function("(count) => taken.length === count", arg=number + 1)
    taken: list[float] = page.evaluate("taken")
    context.close()
    return taken


def _write_page(folder: Path, rows: int) -> None:
    """Write a page of `rows` doubtful labels among twice as many."""
    classes, every, random = CANONICAL_CLASSES, 2 * rows, np.random.default_rng(0)
    given = random.integers(len(classes), size=every)
    shares = random.dirichlet(np.full(len(classes), 0.3), every).astype(np.float32)
    doubted = np.arange(every) % 2 == 0
    evidence = ("given_probability", "neighbour_agreement", "margin", "similarity", "disagreement")
    table = pd.DataFrame(
        {
            "sample_id": [f"face-{row:06d}" for row in range(every)],
            "given_label": labels_from_codes(given, classes),
            "label_quality": shares[np.arange(every), given],
            "suggested_label": labels_from_codes(shares.argmax(axis=1), classes),
            "verdict": pd.Categorical(np.where(doubted, "wrong", "correct"), list(VERDICTS)),
            **{f"p_{name}": shares[:, code] for code, name in enumerate(classes)},
            **{name: random.random(every) for name in evidence},
        }
    )
    paths = [f"pictures/{name}.png" for name in table["sample_id"]]
    nearest = random.integers(every, size=(every, 6))
    content = ReviewRows(table, paths, nearest, classes, "rendered faces")
    write_review_page(content, _faces(every), np.arange(every), folder)


def _faces(count: int) -> np.ndarray:
    """Draw faces, and vary their brightness, so that no two pictures are the same."""
    settings = DataSettings(rendered=RenderedSettings(pictures=_DRAWN, image_size=128))
    pictures = [
        np.asarray(Image.open(io.BytesIO(content)).convert("L").resize((_SIZE, _SIZE)))
        for _, content in read_rendered(settings)[1]
    ]
    shift = np.random.default_rng(1).integers(-25, 26, size=count)
    faces = np.stack([pictures[row % _DRAWN] for row in range(count)]).astype(np.int64)
    return np.clip(faces + shift[:, None, None], 0, 255).astype(np.uint8)[..., None]


if __name__ == "__main__":
    main()
