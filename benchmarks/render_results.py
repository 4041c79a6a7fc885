"""Write docs/results.md from the records under benchmarks/results.

python benchmarks/render_results.py
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ferclean.tables.atomic import read_json, write_text
from render_cost import cost_sections, table
from render_suites import suite_sections

HERE = Path(__file__).parent
# Metric, heading, and whether it is shown in per cent.
COLUMNS = (
    ("test_accuracy_last_epoch", "last epoch"),
    ("test_accuracy_mean_of_last_five", "mean of last five"),
    ("test_accuracy_validation_selected", "chosen on validation"),
    ("test_accuracy_best_on_test_for_comparison_only", "best on test"),
    ("test_mean_class_accuracy_last_epoch", "mean-class"),
    ("label_accuracy_observed", "labels before"),
    ("label_accuracy_final", "labels after"),
    ("detection_auroc", "AUROC"),
    ("detection_average_precision", "AP"),
    ("detection_f1", "F1, own cut-off"),
    ("detection_oracle_f1", "F1, oracle"),
)
# Of records whose test pictures have votes: heading and metrics, all rank correlations but one.
VOTES_COLUMNS = (
    ("test_votes_share_of_predicted_label", "share of votes for the prediction"),
    ("test_votes_entropy_spearman", "entropy of the prediction"),
    ("test_uncertainty_aleatoric_votes_spearman", "aleatoric"),
    ("test_uncertainty_epistemic_votes_spearman", "epistemic"),
)
TITLES = {
    "p5": "P5: the default run (rendered faces, 30 % symmetric noise)",
    "p1": "P1: FER+ labels, 40 % symmetric noise injected",
    "p1_r20": "P1 at 20 % symmetric noise",
    "p1_r00": "P1 without noise",
    "p1_real": "P1, real noise: FER2013's own labels, judged by FER+",
    "p1_weighted": "P1, 40 %: sampling softmax with labels weighed by their clean probability",
    "p1_real_weighted": "P1, real noise: sampling softmax, labels weighed by clean probability",
    "p6": "P6: the memorising regime (rendered faces, 40 % symmetric noise, 150 epochs)",
    "p6_chosen": "P6 with settings of two systems that were chosen on other faces",
    "p6_weighted": "P6: sampling softmax with labels weighed by their clean probability",
    "p1_real_ablation": "P1, real noise: ferclean without its regulariser",
    "p1_real_untranslated": "P1, real noise: ferclean without the translation of its predictions",
    "p6_ablation": "P6: ferclean without repair",
    "p6_batches": "P6: SMR in batches of 64, the size in which ferclean repairs",
    "p6_auto": "P6: SMR with lambda_u from the estimated noise rate, not from the table",
}
VOTES_HEAD = """Doubt against the entropy of the FER+ votes on the test pictures, as Spearman's rank
correlation (the first column is in per cent):
"""
HEAD = """# Results

Made by `python benchmarks/render_results.py` from the records under `benchmarks/results`, which
hold every metric, the settings, the package versions and the commit of each run; each section names
the command that made it. How to read the tables:

* All in per cent but AUROC, AP and F1. Where several seeds were run: their mean and, behind ±, the
  standard deviation of a sample. It leaves out which test pictures there are; how far that may
  move an accuracy of one half, which it moves most, stands above each table as standard error.
* Sorted by the accuracy of the last epoch. *Best on test* is there for comparison with papers that
  report it; nothing is chosen by it. *Chosen on validation* is the epoch that does best on held-out
  rows with noisy labels; P1 holds none out.
* Two networks whose mean predicts gain by that alone: hold methods of two against
  `cross_entropy_ensemble`. SMR and DivideMix take lambda_u from the authors' table, by the noise
  that is known to be there.
* ferclean was built on these very settings: what decides how its run goes on was set by first
  audits of P1's and P6's training rows ([methods.md](methods.md#ferclean)).
* Training rows that are exact copies of test pictures are left out; near ones stay, for all methods
  alike (`duplicates.csv` lists them).
* Minutes are the processor's own of training; older runs have only those of a clock, which other
  work on the machine made longer, and are left out.

P1, P3, the first audits and the photographs among the small sets need `--data FOLDER`, a folder
with `fer2013plus.parquet`: the rows `Training` and `PublicTest` of FER2013's `fer2013.csv` in their
order (those of `PrivateTest` would make other splits), with the votes of the same rows of FER+'s
`fer2013new.csv`. Its columns are `index` (row of `fer2013.csv`, from 0), `image` (`pixels` as the
bytes of a PNG or lossless WebP of 48 x 48), `label` (`emotion`), `usage` (`Usage`), `image_src` (1;
other numbers mark copies with losses, which are left out) and `fp_neutral` to `fp_NF` (the ten
columns of votes, `fp_` before each name). The file behind these records marks 159 rows as such
copies; all but one are no face by the votes, too.
"""
# Said below the tables of these protocols.
NOTES = {
    "p1": "Classes of P1 are of unlike size, and rare ones are learnt last. Methods that trust a "
    "young network give these up (compare the mean over classes with the control's); those that "
    "draw all classes equally often keep them, and pay in accuracy.",
}
PUBLISHED_HEAD = """## What the papers report

Other data, other networks, face-pretrained weights, and mostly the best epoch on the test set:
these numbers cannot be compared with those above, and stand here only so that nobody has to look
for them. Sources in `benchmarks/published.yaml`.
"""


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    write_text(HERE.parent / "docs" / "results.md", render())


def render() -> str:
    """Render every record and the published numbers."""
    sections = [HEAD]
    for name, title in TITLES.items():
        path = HERE / "results" / f"{name}.json"
        if path.exists():
            sections.append(_section(title, read_json(path), NOTES.get(name, "")))
    sections += cost_sections(HERE / "results")
    pictures = HERE / "results" / "p3_audit.json"
    if pictures.exists():
        sections.append(_picture_audit(read_json(pictures)))
    sections += suite_sections(HERE / "results")
    sections.append(_published(yaml.safe_load((HERE / "published.yaml").read_text())))
    return "\n".join(sections)


def _section(title: str, record: dict[str, Any], note: str) -> str:
    shown = [column for column in COLUMNS if _is_known(column[0], record)]
    header = ["method", "seeds", *(heading for _, heading in shown), "minutes"]
    groups = sorted(_groups(record), key=lambda group: -_accuracy(group[1]))
    rows = [_row(method, runs, [key for key, _ in shown]) for method, runs in groups]
    made = f"`{record['command']}`; {_made_with(record)}; {_test_pictures(record)}"
    lines = [f"## {title}", "", f"{made}.", "", *table([header, *rows]), ""]
    lines += [note, ""] if note else []
    return "\n".join([*lines, *_votes(groups)])


def _votes(groups: list[tuple[str, list[dict[str, Any]]]]) -> list[str]:
    """Render how doubt follows the votes, where the test pictures have any."""
    keys = [key for key, _ in VOTES_COLUMNS]
    rows = [
        [method, *(_formatted(key, [_metrics(run).get(key) for run in runs]) for key in keys)]
        for method, runs in groups
        if any(_metrics(run).get("test_votes_rows") for run in runs)
    ]
    header = ["method", *(heading for _, heading in VOTES_COLUMNS)]
    return [VOTES_HEAD, *table([header, *rows]), ""] if rows else []


def _picture_audit(record: dict[str, Any]) -> str:
    heading = ["seed", "judged", "rows", "AUROC", "AP", "F1, own cut-off", "F1, oracle"]
    heading += ["wrong", "estimated", "labels before", "after", "calibration error", "minutes"]
    rows = [heading]
    for name, run in record["runs"].items():
        for judged, words in (("sure", "6 or more FER+ votes on one class"), ("all", "all")):
            found = run[judged]
            keys = ("auroc", "average_precision", "f1", "oracle_f1")
            shares = ["noise_rate", "estimated_noise_rate", "labels_right_before"]
            shares += ["labels_right_after", "calibration_error"]
            rows.append(
                [name.removeprefix("seed"), words, f"{found['rows']:,}"]
                + [f"{found[key]:.3f}" for key in keys]
                + [f"{100 * found[key]:.1f}" for key in shares]
                + [f"{run['seconds'] / 60:.0f}"]
            )
    made = f"`{record['command']}`; {_made_with(record)}."
    note = (
        "What `ferclean audit --data` does: two networks learn FER2013's own labels, FER+ only "
        "judges. *Estimated* is the mean doubt of the judged rows."
    )
    title = "## P3: FER2013's own labels audited from pictures"
    return "\n".join([title, "", f"{made} {note}", "", *table(rows), ""])


def _groups(record: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each method with its runs, one a seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, run in record["runs"].items():
        found.setdefault(name.rpartition("/")[2], []).append(run)
    yield from found.items()


def _made_with(record: dict[str, Any]) -> str:
    environments = [record.get("environment")] + [
        run.get("environment") for run in record["runs"].values()
    ]
    made = {f"{e['device']}, torch {e['packages']['torch']}" for e in environments if e}
    return "; ".join(sorted(made))


def _metrics(run: dict[str, Any]) -> dict[str, Any]:
    metrics: dict[str, Any] = run.get("metrics", run)
    return metrics


def _accuracy(runs: list[dict[str, Any]]) -> float:
    return statistics.fmean(_metrics(run)["test_accuracy_last_epoch"] for run in runs)


def _test_pictures(record: dict[str, Any]) -> str:
    """Say how many pictures accuracies are measured on, and how far these may lie by chance."""
    (rows,) = {_metrics(run)["test_rows"] for run in record["runs"].values()}
    return f"{rows:,.0f} test pictures, standard error at most {50 / rows**0.5:.1f} points"


def _is_known(key: str, record: dict[str, Any]) -> bool:
    return any(_metrics(run).get(key) is not None for run in record["runs"].values())


def _row(method: str, runs: list[dict[str, Any]], keys: list[str]) -> list[str]:
    values = [_formatted(key, [_metrics(run).get(key) for run in runs]) for key in keys]
    seconds = [run.get("training_cpu_seconds") for run in runs]
    minutes = [each / 60 for each in seconds if each is not None]
    spent = f"{statistics.fmean(minutes):.0f}" if minutes else "-"
    return [method, str(len(runs)), *values, spent]


def _formatted(key: str, values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    factor, digits = (1, 3) if key.startswith("detection") or key.endswith("spearman") else (100, 1)
    mean = f"{factor * statistics.fmean(known):.{digits}f}"
    spread = f" ± {factor * statistics.stdev(known):.{digits}f}" if len(known) > 1 else ""
    return mean + spread


def _published(tables: list[dict[str, Any]]) -> str:
    lines = [PUBLISHED_HEAD]
    for found in tables:
        lines += [f"### {found['title']}", ""]
        header = ["method", "network", *found["columns"]]
        rows = [
            [row["method"], row["network"], *(_published_cell(v) for v in row["values"])]
            for row in found["rows"]
        ]
        lines += [*table([header, *rows]), ""]
    return "\n".join(lines)


def _published_cell(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


if __name__ == "__main__":
    main()
