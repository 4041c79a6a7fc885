"""Write docs/results.md from the records under benchmarks/results.

python benchmarks/render_results.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ferclean.tables.atomic import read_json, write_text

HERE = Path(__file__).parent
COLUMNS = (
    ("test_accuracy_last_epoch", "last epoch"),
    ("test_accuracy_mean_of_last_five", "mean of last five"),
    ("test_accuracy_best_on_test_for_comparison_only", "best on test*"),
    ("test_mean_class_accuracy_last_epoch", "mean-class"),
    ("label_accuracy_observed", "labels before"),
    ("label_accuracy_final", "labels after"),
    ("detection_auroc", "AUROC"),
    ("detection_average_precision", "AP"),
    ("detection_f1", "F1, own cut-off"),
    ("detection_oracle_f1", "F1, oracle"),
)
TITLES = {
    "p5": "P5: the default run (rendered faces, 30 % symmetric noise)",
    "p1": "P1: FER+ labels, 40 % symmetric noise injected",
    "p1_real": "P1, real noise: FER2013's own labels, judged by FER+",
    "p6": "P6: the memorising regime (rendered faces, 40 % symmetric noise, 150 epochs)",
}
HEAD = """# Results

Made by `python benchmarks/render_results.py` from the records under `benchmarks/results`, which
hold every metric, the settings, the package versions and the commit; each section names the command
that made it. All in per cent but AUROC, AP and F1. One row a run; `seed` stands in its name.
*Best on test is for comparison with papers that report it; nothing is chosen by it.
"""


def main() -> None:
    """Write the page."""
    write_text(HERE.parent / "docs" / "results.md", render())


def render() -> str:
    """Render every record."""
    sections = [HEAD]
    for name, title in TITLES.items():
        path = HERE / "results" / f"{name}.json"
        if path.exists():
            sections.append(_section(title, read_json(path)))
    return "\n".join(sections)


def _section(title: str, record: dict[str, Any]) -> str:
    environment = record["environment"]
    header = ["run", *(heading for _, heading in COLUMNS), "minutes"]
    rows = [_row(name, run) for name, run in record["runs"].items()]
    table = [header, ["---"] * len(header), *rows]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    torch, wall = environment["packages"]["torch"], record["wall_seconds"]
    made = f"`{record['command']}`, {environment['device']}, torch {torch}, {wall:.0f} s in all"
    return "\n".join([f"## {title}", "", f"{made}.", "", *lines, ""])


def _row(name: str, run: dict[str, Any]) -> list[str]:
    metrics = run.get("metrics", run)
    values = [_formatted(key, metrics.get(key)) for key, _ in COLUMNS]
    minutes = f"{run['training_seconds'] / 60:.0f}" if "training_seconds" in run else "-"
    return [name, *values, minutes]


def _formatted(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if key.startswith("detection") else f"{100 * value:.1f}"


if __name__ == "__main__":
    main()
