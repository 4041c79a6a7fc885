"""The sections of docs/results.md that are about seconds and memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ferclean.tables.atomic import read_json


def table(rows: list[list[str]]) -> list[str]:
    """Write a table whose first row is the header."""
    header, *body = rows
    return ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *body]]


def cost_sections(results: Path) -> list[str]:
    """Render every record of cost that is there."""
    renderers: dict[str, Callable[[dict[str, Any]], tuple[str, str, list[list[str]]]]] = {
        "p4_cpu_tiny48_48": _training_step,
        "p4_methods_cpu_tiny48_48": _methods,
        "p4_streaming": _streaming,
        "p4_scale": _scale,
        "p4_scale_100": _scale,
        "p4_neighbours": _neighbours,
        "alignment": _alignment,
        "planning": _planning,
        "review_page": _review_page,
    }
    sections = []
    for name, render in renderers.items():
        path = results / f"{name}.json"
        if path.exists():
            record = read_json(path)
            title, words, rows = render(record)
            made = f"`{record['command']}`; {record['environment']['device']}. {words}"
            sections.append("\n".join([f"## {title}", "", made, "", *table(rows), ""]))
    return sections


def _training_step(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    options, rates = record["options"], record["images_per_second"]
    words = (
        f"{options['model']}, {options['size']} x {options['size']}, batch {options['batch']}; "
        "medians of images per second. The classic loop is a DataLoader with PIL transforms and 4 "
        "workers, in float32 where the trainer multiplies in bfloat16, with each sample's weight "
        "looked up in Python."
    )
    names = {
        "ceiling": "forward, backward and step on one batch that never changes",
        "epoch": "an epoch of the trainer",
        "classic_loader": "the classic loop",
    }
    rows = [["what", "images/s"]]
    rows += [[name, f"{statistics.median(rates[key]):,.0f}"] for key, name in names.items()]
    share, over = (
        record[f"median_{key}"] for key in ("epoch_share_of_ceiling", "epoch_over_classic_loader")
    )
    rows += [["epoch / ceiling", f"{share:.2f}"], ["epoch / classic loop", f"{over:.2f}"]]
    return "P4: the training step", words, rows


def _methods(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    first = next(iter(record["methods"].values()))
    words = (
        f"{record['params']['model']['name']}, {first['rows']:,} rendered faces with 40 % flips, "
        "epochs after warm-up. Images per second are training rows times epochs by all of the "
        "time, in which rows are looked at and judged, and held-out rows predicted, too."
    )
    parts = ("training", "looking", "judging", "predicting")
    rows = [["method", "networks", "images/s", *parts]]
    found = sorted(record["methods"].items(), key=lambda item: -item[1]["images_per_second"])
    rows += [
        [
            method,
            str(cost["networks"]),
            f"{cost['images_per_second']:,}",
            *(f"{100 * cost['shares'][part]:.1f} %" for part in parts),
        ]
        for method, cost in found
    ]
    return "P4: what every method costs", words, rows


def _streaming(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    size = record["size"]
    words = (
        f"Colour pictures of {size} x {size} read in random order, {record['batch']} a step, "
        "without training on them: from disk at Clothing1M's size, the others out of the system's "
        "cache, as in every epoch but the first. Memory is the process's own, after the first "
        "steps and at the end."
    )
    rows = [["pack", "rows", "read", "size", "threads", "pictures/s", "MiB first", "MiB last"]]
    rows += [
        [
            case["encoding"] if case["name"] == case["encoding"] else f"{case['name']}'s size",
            f"{case['rows']:,}",
            f"{case['rows_read']:,}",
            f"{case['pack_mebibytes']:,} MiB",
            str(case["threads"]),
            f"{case['pictures_per_second']:,}",
            f"{case['mebibytes_at_first']:,}",
            f"{case['mebibytes_at_last']:,}",
        ]
        for case in record["cases"]
    ]
    return "P4: pictures that do not fit into memory", words, rows


def _scale(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    sizes = list(dict.fromkeys(rows for part in record["parts"].values() for rows in part))
    rows = [["part", *(f"{int(rows):,} rows" for rows in sizes)]]
    rows += [
        [part.replace("_", " "), *(_cost(found.get(size)) for size in sizes)]
        for part, found in record["parts"].items()
    ]
    many = record["classes"] > 7
    words = (
        f"{record['width']} features, {record['classes']} classes. Seconds, and memory beyond the "
        "inputs. Exact neighbours grow with the square of the rows and are not measured further"
        + (", nor are graphs: between so many classes they are iterated." if many else ".")
    )
    title = "P4: partition, prototypes and graphs up to a million rows"
    return title + (f", {record['classes']} classes" if many else ""), words, rows


def _cost(found: dict[str, float] | None) -> str:
    return "-" if found is None else f"{found['seconds']:.3g} s, {found['mebibytes']:.0f} MiB"


def _neighbours(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    words = (
        f"{record['width']} features in groups (7 as classes, 300 as people). Above 100,000 rows, "
        "without a GPU, neighbours are looked for in some cells of an index; memory is what this "
        "takes beyond the features. All pairs: expected from 500 rows."
    )
    rows = [
        [
            "rows",
            "groups",
            "neighbours",
            "index",
            "found of the true ones",
            "further away by",
            "all pairs",
        ]
    ]
    rows += [
        [
            f"{case['rows']:,}",
            str(case["groups"]),
            str(case["neighbours"]),
            _cost(case),
            f"{case['recall']:.1%}".replace("%", " %"),
            f"{case['distance_excess']:.1%}".replace("%", " %")
            if "distance_excess" in case
            else "-",
            f"{case['seconds_comparing_all']:,.0f} s",
        ]
        for case in record["cases"]
    ]
    return "P4: nearest neighbours", words, rows


def _alignment(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    params, rates = record["params"], record["images_per_second"]
    words = (
        f"{params['pictures']:,} rendered pictures of {params['size']} x {params['size']}, "
        "medians; one by one is MTCNN as its package offers it, with one thread and with all."
    )
    rows = [["MTCNN", "pictures/s"]]
    rows += [[key.replace("_", " "), f"{statistics.median(rates[key]):.0f}"] for key in rates]
    return "P4: finding and aligning faces", words, rows


def _planning(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    words = "What one waits for before the first job of a grid starts."
    rows = [["runs", "jobs", "seconds", "MiB"]]
    rows += [
        [f"{g['runs']:,}", f"{g['jobs']:,}", f"{g['seconds']:.1f}", f"{g['peak_mib']:,}"]
        for g in record["grids"]
    ]
    return "Planning of a grid", words, rows


def _review_page(record: dict[str, Any]) -> tuple[str, str, list[list[str]]]:
    words = (
        f"{record['rows']:,} doubtful labels with rendered faces and their look-alikes, in "
        f"headless Chromium. From the call of the page to its painted faces, in a browser without "
        f"anything stored; from a key to the painted frame that answers it. The machine had "
        f"other work, too (load average {record['load_average']:.0f}). The page takes "
        f"{record['page_bytes'] / 1e6:.1f} MB, its {record['sheets']} sheets of faces "
        f"{record['sheet_bytes'] / 1e6:.1f} MB, read as they are needed."
    )
    rows = [["", "measured", "median", "95 %", "worst"]]
    for name, key, digits in (("open, s", "open_seconds", 2), ("key, ms", "key_milliseconds", 0)):
        found = record[key]
        values = [f"{found[each]:.{digits}f}" for each in ("median", "p95", "worst")]
        rows.append([name, str(found["measured"]), *values])
    return "Review page", words, rows
