"""How well wrong labels are told from right ones, over many data sets, models and kinds of noise.

    python benchmarks/audit_suite.py

Small data sets, noise of five kinds and none, five classifiers; probabilities are out of fold. The
audit is compared with the two usual rules: cleanlab's default (pruning by the noise rate of the
confident joint) and "the prediction is another class". The constants of ``ferclean.audit`` were
chosen on this suite and on faces with 40 % flips, so these numbers say how well one setting can
serve all kinds, not how it does on new data.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from environment import describe_environment
from ferclean.audit.auditor import audit_labels
from ferclean.partition.confident_learning import find_label_errors
from ferclean.tables.atomic import atomic_path, read_json, write_json

HERE = Path(__file__).parent
Case = tuple[str, str, float, str]  # data set, kind of noise, its rate, classifier
NOISE = {
    "sym": (0.1, 0.2, 0.4),
    "human": (0.09, 0.2, 0.4),
    "blur": (0.09, 0.2, 0.4),
    "cls": (0.2,),
    "pair": (0.2,),
    "none": (0.0,),
}
NOISE_SEED, FOLDS = 7, 4
_OF_WRONG_LABELS = ("f1_audit", "f1_cleanlab", "f1_argmax", "auroc", "average_precision")
_ROWS_FOR_CURVED_BORDERS = 5  # of the rarest class a column, or the expert's borders are straight
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "lr": lambda: LogisticRegression(max_iter=200, C=1.0),
    "mlp": lambda: MLPClassifier((128,), max_iter=60, random_state=0),
    "mlpshort": lambda: MLPClassifier((128,), max_iter=12, random_state=0),
    "rf": lambda: ExtraTreesClassifier(150, min_samples_leaf=2, random_state=0),
    "knn": lambda: KNeighborsClassifier(25, weights="distance"),
}


def clusters(
    classes: int,
    rows: int,
    width: int,
    spread: float,
    seed: int,
    *,
    groups: int = 0,
    rare: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw Gaussian classes, in groups of near ones or with rare ones where asked."""
    random = np.random.default_rng(seed)
    if groups:
        near = random.normal(size=(groups, width)) * spread
        centres = near[np.arange(classes) % groups]
        centres = centres + random.normal(size=(classes, width)) * spread * 0.6
    else:
        centres = random.normal(size=(classes, width)) * spread
    share = np.ones(classes) / classes
    if rare:
        share = np.exp(-np.arange(classes) / classes * 3)
        share /= share.sum()
    true = random.choice(classes, size=rows, p=share)
    shapes = None
    if classes <= 10:
        shapes = [random.normal(size=(width, width)) * 0.3 + np.eye(width) for _ in range(classes)]
    noise = random.normal(size=(rows, width))
    if shapes is not None:
        noise = np.einsum("nij,nj->ni", np.stack(shapes)[true], noise)
    return (centres[true] + noise).astype(np.float32), true


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's 1,797 handwritten digits."""
    data, true = load_digits(return_X_y=True)
    return data / 16.0, true


DATA: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    "digits": digits,
    "b3": lambda: clusters(3, 2000, 6, 0.9, 5),
    "b7": lambda: clusters(7, 5000, 16, 0.75, 1),
    "b10hard": lambda: clusters(10, 8000, 24, 0.45, 2),
    "b10imb": lambda: clusters(10, 8000, 24, 0.7, 3, rare=True),
    "b100": lambda: clusters(100, 12000, 48, 0.6, 4, groups=20),
    "b100easy": lambda: clusters(100, 12000, 48, 0.9, 6, groups=20),
}


def noisy(features: np.ndarray, true: np.ndarray, kind: str, rate: float) -> np.ndarray:
    """Make a share of the labels wrong; none of the kind ``none``."""
    if kind == "none":
        return true
    random, classes = np.random.default_rng(NOISE_SEED), int(true.max()) + 1
    if kind == "human":
        return _human(features, true, rate, random)
    if kind == "blur":
        return _blurred(features, true, rate, random)
    if kind == "cls":
        return _by_class(true, rate, random)
    labels, flipped = true.copy(), random.random(len(true)) < rate
    step = random.integers(1, classes, flipped.sum()) if kind == "sym" else 1
    labels[flipped] = (true[flipped] + step) % classes
    return labels


def _by_class(true: np.ndarray, rate: float, random: np.random.Generator) -> np.ndarray:
    """Flip by class, each to few others and at a rate of its own."""
    classes = int(true.max()) + 1
    transitions = random.dirichlet(np.ones(classes) * 0.15, size=classes)
    np.fill_diagonal(transitions, 0)
    transitions /= transitions.sum(axis=1, keepdims=True)
    rates = np.clip(rate * random.gamma(2, 0.5, size=classes), 0, 0.45)
    rates = (rates * rate / rates[true].mean()).clip(0, 0.5)
    labels = true.copy()
    for row, k in enumerate(true):
        if random.random() < rates[k]:
            labels[row] = random.choice(classes, p=transitions[k])
    return labels


def _human(
    features: np.ndarray, true: np.ndarray, rate: float, random: np.random.Generator
) -> np.ndarray:
    """Err as a weak annotator does: where the picture is hard, towards what it looks like."""
    rows, classes = len(true), int(true.max()) + 1
    seen = random.permutation(rows)[: max(30 * classes if classes <= 20 else 10 * classes, 200)]
    annotator = LogisticRegression(max_iter=300, C=0.3).fit(features[seen], true[seen])
    doubt = np.full((rows, classes), 1e-9)
    doubt[:, annotator.classes_] = annotator.predict_proba(features)
    doubt[np.arange(rows), true] = 0
    mass = doubt.sum(axis=1)
    doubt /= mass[:, None]
    low, high = 0.0, 1e6
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.clip(mass * middle, 0, 0.9).mean() < rate else (low, middle)
        )
    wrong = random.random(rows) < np.clip(mass * low, 0, 0.9)
    drawn = (random.random(rows)[:, None] > doubt.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    return np.where(wrong, drawn, true)


def _blurred(
    features: np.ndarray, true: np.ndarray, rate: float, random: np.random.Generator
) -> np.ndarray:
    """Label as an expert does who is shown each row blurred, by so much that `rate` are wrong.

    An expert who errs more often than that on sharp rows already adds no blur.
    """
    rows_a_number = np.bincount(true).min() / features.shape[1]
    expert = (
        QuadraticDiscriminantAnalysis(reg_param=0.05)
        if rows_a_number > _ROWS_FOR_CURVED_BORDERS
        else LinearDiscriminantAnalysis()
    ).fit(features, true)
    noise = random.normal(size=features.shape) * features.std(axis=0)
    low, high = 0.0, 20.0
    for _ in range(12):
        middle = (low + high) / 2
        wrong = (expert.predict(features + middle * noise) != true).mean()
        low, high = (middle, high) if wrong < rate else (low, middle)
    labels: np.ndarray = expert.predict(features + low * noise)
    return labels


def out_of_fold(features: np.ndarray, labels: np.ndarray, classifier: str) -> np.ndarray:
    """Return ``(N, K)`` probabilities of classifiers that did not see the row."""
    found = np.zeros((len(labels), int(labels.max()) + 1))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for inside, outside in folds.split(features, labels):
        model = CLASSIFIERS[classifier]().fit(features[inside], labels[inside])
        found[np.ix_(outside, model.classes_)] = model.predict_proba(features[outside])
    return found.astype(np.float32)


def cases() -> Iterator[Case]:
    """Yield every combination."""
    for data in DATA:
        for kind, rates in NOISE.items():
            for rate in rates:
                yield from ((data, kind, rate, classifier) for classifier in CLASSIFIERS)


def run_case(case: Case, work: Path) -> tuple[str, dict[str, float | None]]:
    """Make or read the probabilities of a case, and judge all rules on them."""
    data, kind, rate, classifier = case
    name = f"{data}-{kind}-{rate}-{classifier}"
    path = work / f"{name}.npz"
    if not path.exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few iterations are meant
            features, true = DATA[data]()
            labels = noisy(features, true, kind, rate)
            probabilities = out_of_fold(features, labels, classifier)
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, P=probabilities, y=labels, t=true)
    held = np.load(path)
    return name, judge(held["P"], held["y"], held["t"])


def judge(
    probabilities: np.ndarray, labels: np.ndarray, true: np.ndarray
) -> dict[str, float | None]:
    """Compare the audit with both usual rules."""
    wrong = labels != true
    started = time.perf_counter()
    audit = audit_labels(probabilities, labels)
    seconds = time.perf_counter() - started
    scaled = probabilities / probabilities.sum(axis=1, keepdims=True)
    low, high = audit.noise_rate_bounds
    scores: dict[str, float | None] = dict.fromkeys(_OF_WRONG_LABELS)
    if wrong.any():
        judged = (
            f1_score(wrong, audit.is_wrong),
            f1_score(wrong, find_label_errors(scaled, labels)),
            f1_score(wrong, scaled.argmax(axis=1) != labels),
            roc_auc_score(wrong, 1 - audit.label_quality),
            average_precision_score(wrong, 1 - audit.label_quality),
        )
        scores = dict(zip(_OF_WRONG_LABELS, judged, strict=True))
    return scores | {
        "rows": len(labels),
        "noise_rate": float(wrong.mean()),
        "estimated_noise_rate": audit.noise_rate,
        "within_bounds": float(low <= wrong.mean() <= high),
        "steepness": audit.steepness,
        "labels_right_before": float((labels == true).mean()),
        "labels_right_after": float((audit.suggested_label == true).mean()),
        "seconds": seconds,
    }


def main() -> None:
    """Run what is missing and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("results/benchmarks/audit_suite"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=NOISE, help="judge one kind, and keep the others")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    path = HERE / "results" / "audit_suite.json"
    wanted = [case for case in cases() if options.only in (None, case[1])]
    kept = read_json(path)["cases"] if options.only else {}
    with ProcessPoolExecutor(options.jobs) as pool:
        found = dict(pool.map(run_case, wanted, [options.work] * len(wanted)))
    record = {
        "protocol": "audit_suite",
        "command": "python benchmarks/audit_suite.py",
        "environment": describe_environment("cpu"),
        "cases": kept | found,
    }
    write_json(path, record)


if __name__ == "__main__":
    main()
