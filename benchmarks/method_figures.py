"""Draw the figures of docs/methods.md and docs/audit.md: small runs, and the package's functions.

python benchmarks/method_figures.py

Trains ReSup and SCE-ALD on the rendered faces of the default run, below
``results/figures`` (minutes on two CPU cores), draws the rest of data made here, and writes
``docs/images/*.svg``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from scipy.special import softmax

import audit_suite
from ferclean.audit.disagreement import compare
from ferclean.config.load import build_settings
from ferclean.config.side_inputs import side_inputs
from ferclean.evaluate.truth import true_codes
from ferclean.losses.heteroscedastic import sampled_log_softmax
from ferclean.methods.co_divide import scaled_losses
from ferclean.methods.remedies import noise_urgency, rightness_needed
from ferclean.partition.mixtures import fit_two_gaussians
from ferclean.partition.prototypes import class_prototypes, class_similarity, corrected_labels
from ferclean.report.figures import DASHES, MARKERS, PALETTE, drawing, to_svg
from ferclean.report.mixtures import component_curves
from ferclean.tables.atomic import read_json, write_text
from ferclean.tables.labels import read_label_table
from ferclean.tables.partitions import Partition, read_partition
from protocol_steps import inject, make_side_inputs, prepare, scratch_folder, train_and_evaluate

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
SETTING = "symmetric-0.3-seed0"
RIGHT, WRONG = PALETTE[5], PALETTE[1]
# Data, network and optimiser of the default run; the figures show the partition that is made
# after warm-up.
PARAMS = yaml.safe_load("""
align: {size: 48, color: grey}
grid: {methods: [resup, sce_ald], rates: [0.3]}
embedding: {encoder: tiny, epochs: 15}
model: {name: tiny48, dropout: 0.2}
training: {warm_up_epochs: 25, rounds: 1, epochs_per_round: 1, batch_size: 32, normalise_mean: 0.5,
  normalise_scale: 0.25, optimizer: {learning_rate: 0.003, weight_decay: 0.05},
  augment: {flip: true, shift: 4}}
""")
WORK = scratch_folder(Path("results/figures"), PARAMS)
# Names of the recorded audits as in docs/methods.md; the others are P6's, by seed.
_AUDITS = {
    "p1/symmetric-0.4-seed0": "P1, 40 % flips",
    "p1_r20/symmetric-0.2-seed0": "P1, 20 % flips",
    "p1_r00/none-0-seed0": "P1, without noise",
    "p1_real/none-0-seed0": "P1, FER2013's own labels",
}
# An image stands on its own: it brings its paper and ink, and follows the reader's dark mode.
_COLOURS = (
    "<style>svg{color:#1a1a1a;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e4e6eb;background:#1e2129}}</style>"
)


def main() -> None:
    """Make what is missing of the runs, then draw everything."""
    settings = build_settings(PARAMS)
    prepare(WORK, settings)
    inject(WORK, SETTING, settings)
    for method in settings.grid.methods:
        for name, path in side_inputs(method, SETTING).items():
            make_side_inputs(WORK, name, path, PARAMS, "cpu")
        if not (WORK / "evaluate" / SETTING / method / "metrics.json").exists():
            train_and_evaluate(WORK, settings, SETTING, method, 0, "cpu")
    for draw in (resup, dividemix, sce_ald, smp, sampling_softmax, ferclean, audit):
        write_image(draw.__name__, draw)


def write_image(name: str, draw: Callable[[], tuple[Any, str]]) -> None:
    """Write a figure as a file of its own; its first element says what it shows."""
    figure, description = draw()
    svg = to_svg(figure, name, description)
    sides = svg.partition('viewBox="0 0 ')[2].partition('"')[0].split()
    width, height = (round(float(points) * 4 / 3) for points in sides)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    svg = svg.replace("<svg", head, 1)
    write_text(IMAGES / f"{name}.svg", svg.replace(">", f">{_COLOURS}", 1))


@contextmanager
def panels(*titles: str, height: float = 3.5) -> Iterator[tuple[Any, Any]]:
    """Give a figure with a panel a title, in the report's style."""
    with drawing(4.2 * len(titles), height) as (figure, axes):
        axes.remove()
        found = figure.subplots(1, len(titles), squeeze=False)[0]
        for each, title in zip(found, titles, strict=True):
            each.patch.set_alpha(0)
            each.set_title(title)
        yield figure, found


def _first(method: str) -> tuple[Partition, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return a run's first partition, observed and true codes, and the classes."""
    table = read_label_table(WORK / "noise" / SETTING / "labels.parquet")
    table = table.take(table.in_split("train"))
    path = WORK / "denoise" / SETTING / method / "round_0" / "partition.parquet"
    ids = table.frame["sample_id"].to_numpy()
    partition = read_partition(path, table.classes, ids)
    return partition, table.codes("observed"), true_codes(table), table.classes


def _mixture(axes: Any, partition: Partition, wrong: np.ndarray, label: str) -> None:
    score, mixture = partition.score[0], partition.parameters["net_0"]
    edges, place = np.linspace(0, 1, 31), np.linspace(0.01, 0.99, 300)
    kinds, heights = [score[wrong], score[~wrong]], np.histogram(score, edges)[0]
    axes.hist(kinds, edges, stacked=True, color=[WRONG, RIGHT], label=["label wrong", "right"])
    for (name, density), dash in zip(component_curves(mixture, place), DASHES, strict=False):
        line = density * len(score) * (edges[1] - edges[0])
        axes.plot(place, line, dash, color=axes.xaxis.label.get_color(), label=name)
    axes.set(xlabel=label, ylabel="training rows", ylim=(0, 1.1 * heights.max()))
    axes.legend(fontsize=8)


def _networks(axes: Any, partition: Partition, wrong: np.ndarray) -> None:
    first, second = partition.clean_probability
    for rows, colour, marker in ((~wrong, RIGHT, MARKERS[0]), (wrong, WRONG, MARKERS[2])):
        axes.scatter(first[rows], second[rows], 9, color=colour, marker=marker)
    axes.axvline(0.5, color=axes.xaxis.label.get_color(), linewidth=0.8, linestyle="--")
    axes.axhline(0.5, color=axes.xaxis.label.get_color(), linewidth=0.8, linestyle="--")
    axes.set(xlabel="clean, says network 0", ylabel="clean, says network 1")


def resup() -> tuple[Any, str]:
    """Similarities of one network with its mixture, and what both networks say."""
    partition, observed, true, _ = _first("resup")
    titles = ("How well prediction and label agree", "Each weighs the other's loss")
    with panels(*titles) as (figure, (left, right)):
        _mixture(left, partition, observed != true, "similarity of prediction and label")
        _networks(right, partition, observed != true)
    return figure, "ReSup: similarities with two fitted Betas; clean weights of both networks"


def dividemix() -> tuple[Any, str]:
    """Losses of one network with its mixture, and what both networks say.

    The networks are those of :func:`resup`: both methods warm up by the same cross-entropy.
    """
    seen, observed, true, _ = _first("resup")
    logits = np.log(seen.probabilities)
    losses = scaled_losses(logits, observed)
    fits = [fit_two_gaussians(loss, seed=0) for loss in losses]
    clean = np.stack([fit.clean_probability for fit in fits])
    mixtures = {f"net_{net}": fit.parameters for net, fit in enumerate(fits)}
    partition = Partition("", losses, clean, seen.probabilities, parameters=mixtures)
    titles = ("Losses fall into two heaps", "Each trains on the other's split")
    with panels(*titles) as (figure, (left, right)):
        _mixture(left, partition, observed != true, "cross-entropy, scaled to [0, 1]")
        _networks(right, partition, observed != true)
    return figure, "DivideMix: losses with two fitted Gaussians; clean posteriors of both networks"


def sce_ald() -> tuple[Any, str]:
    """Both relation graphs of a row that is right, and of one that is not."""
    partition, observed, true, classes = _first("sce_ald")
    distance, place = partition.score[0], np.arange(len(classes))
    trust = partition.clean_probability[0]
    rows = [_typical(trust, observed == true), _typical(trust, observed != true)]
    names, hatches = ["semantic graph", "task graph", "amended label"], ["", "//", ".."]
    titles = [f"given {classes[observed[r]]}, truly {classes[true[r]]}" for r in rows]
    with panels(*titles, height=3.9) as (figure, axes):
        for each, row in zip(axes, rows, strict=True):
            graphs = [
                softmax(partition.evidence[f"{kind}_similarity"][row] / 0.1)
                for kind in ("semantic", "task")
            ]
            for n, graph in enumerate([*graphs, partition.evidence["amended"][row]]):
                shift, style = 0.27 * (n - 1), {"color": PALETTE[(0, 4, 2)[n]], "hatch": hatches[n]}
                each.bar(place + shift, graph, 0.27, label=names[n], **style)
            each.set_xticks(place, classes, rotation=45, ha="right")
            each.set(ylabel="share", xlabel=f"transport distance of the graphs {distance[row]:.3f}")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure, "SCE-ALD: class-relation graphs of a face with a right and with a wrong label"


def _typical(score: np.ndarray, among: np.ndarray) -> int:
    """Return the row of median score among some."""
    rows = np.flatnonzero(among)
    return int(rows[np.argsort(score[rows])[len(rows) // 2]])


def smp() -> tuple[Any, str]:
    """Prototypes and corrected labels of points on a plane; only directions count."""
    random = np.random.default_rng(0)
    true = np.repeat(np.arange(3), 120)
    # Every class has two groups, as a class of faces has frontal and turned ones.
    angle = true * 2.1 + random.choice([-0.35, 0.35], len(true)) + random.normal(0, 0.16, len(true))
    length = random.uniform(0.6, 1.4, len(true))
    points = np.c_[np.cos(angle), np.sin(angle)] * length[:, None]
    flipped = random.random(len(true)) < 0.3
    observed = np.where(flipped, (true + random.integers(1, 3, len(true))) % 3, true)
    prototypes = class_prototypes(
        points, observed, classes=3, samples=1280, count=8, rule="density_peaks",
        quantile=0.4, limit=0.95, seed=0,
    )  # fmt: skip
    corrected = corrected_labels(class_similarity(points, prototypes), observed)
    titles = [
        f"given: {np.mean(observed == true):.0%} right, and prototypes",
        f"corrected: {np.mean(corrected == true):.0%} right",
    ]
    with panels(*titles, height=4.1) as (figure, axes):
        for each, labels in zip(axes, (observed, corrected), strict=True):
            for k in range(3):
                x, y = points[labels == k].T
                each.scatter(x, y, 12, color=PALETTE[k], marker=MARKERS[k], alpha=0.7)
            each.set(aspect="equal", xlabel="feature 0", ylabel="feature 1")
            each.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9))
        for k in range(3):
            ink = axes[0].xaxis.label.get_color()
            x, y = prototypes[k].T * 1.6
            axes[0].scatter(x, y, 60, color=PALETTE[k], marker=MARKERS[k], edgecolor=ink)
    return figure, "SMP: given labels with class prototypes outside, and the corrected labels"


def sampling_softmax() -> tuple[Any, str]:
    """Noise on logits, a prediction, and the loss of a label that contradicts it."""
    scales, mean = np.linspace(0, 8, 41), torch.tensor([[4.0, 1.0, 0.0]])
    found = []
    for scale in scales:
        generator = torch.Generator().manual_seed(0)
        sigma = torch.full_like(mean, float(scale))
        log_p = sampled_log_softmax(mean, sigma, samples=4000, generator=generator)
        found.append(log_p[0].numpy())
    curves = np.stack(found)
    names = ["class 0 (mean logit 4)", "class 1 (1)", "class 2 (0)"]
    with panels("Expected softmax", "Loss of each label") as (figure, (left, right)):
        for k, name in enumerate(names):
            left.plot(scales, np.exp(curves[:, k]), DASHES[k], color=PALETTE[k], label=name)
            right.plot(scales, -curves[:, k], DASHES[k], color=PALETTE[k], label=name)
        left.set(xlabel="standard deviation of every logit", ylabel="probability", ylim=(0, 1))
        right.set(xlabel="standard deviation of every logit", ylabel="loss", ylim=(0, None))
        left.legend(fontsize=8)
    return figure, "Sampling softmax: with more noise on logits, labels that contradict cost less"


def ferclean() -> tuple[Any, str]:
    """How sure suggestions were in recorded first audits, and how sure they had to be."""
    record = read_json(HERE / "results" / "first_audits.json")["audits"]
    names = [_AUDITS.get(name, "P6, 40 % flips, seed " + name[-1]) for name in record]
    with panels("Repair, or learn labels as they are?", height=3.6) as (figure, (axes,)):
        figure.set_figwidth(6.5)
        ink = axes.xaxis.label.get_color()
        for place, found in enumerate(record.values()):
            needed = rightness_needed(noise_urgency(found["noise_rate"]))
            colour = PALETTE[2] if found["repairs"] else PALETTE[1]
            marker = MARKERS[0] if found["repairs"] else MARKERS[3]
            axes.plot([needed, found["expected_right"]], [place, place], color=colour)
            axes.scatter([needed], [place], 90, color=ink, marker="|")
            axes.scatter([found["expected_right"]], [place], 40, color=colour, marker=marker)
        for label, marker, colour in (
            ("repaired", MARKERS[0], PALETTE[2]), ("not repaired", MARKERS[3], PALETTE[1]),
            ("needed", "|", ink),
        ):  # fmt: skip
            axes.scatter([], [], 40, color=colour, marker=marker, label=label)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlabel="how often a suggested label would be right, as the audit expects")
        axes.legend(fontsize=8, loc="lower left")
    return figure, "ferclean: expected share of right suggestions in first audits, and the gate"


def audit() -> tuple[Any, str]:
    """Disagreement from sure to unsure rows, where labels were flipped and where people erred."""
    features, true = audit_suite.digits()
    places = ["surest\n15 %", "15-30", "30-50", "50-75", "least sure\n25 %"]
    with panels("Who disagrees with the prediction?") as (figure, (axes,)):
        figure.set_figwidth(5.6)
        kinds = (("sym", "flipped whatever the picture shows"), ("human", "erred where it is hard"))
        for number, (kind, name) in enumerate(kinds):
            labels = audit_suite.noisy(features, true, kind, 0.2)
            found = compare(audit_suite.out_of_fold(features, labels, "lr"), labels)
            label = f"{name} (steepness {found.steepness:.2f})"
            axes.plot(
                found.curve, DASHES[number] + MARKERS[number], color=PALETTE[number], label=label
            )
        axes.set_xticks(range(5), places)
        axes.set(ylabel="share of labels that disagree", xlabel="rows of a predicted class")
        axes.set_ylim(0, None)
        axes.legend(fontsize=8)
    return figure, "Share of disagreeing labels from the surest to the least sure predictions"


if __name__ == "__main__":
    main()
