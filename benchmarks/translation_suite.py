"""Where it helps to translate predictions of given labels to predictions of true ones.

    python benchmarks/translation_suite.py

The small data sets and kinds of noise of ``audit_suite.py``. A classifier learns the noisy labels
of seven tenths of the rows and predicts the others; an audit of its out-of-fold probabilities says
what each given label stands for. Compared are predictions as they are, translated wholly, and
translated as far as the method ``ferclean`` would. Its constant for the share of errors that go one
way was read off this suite.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split

from audit_suite import CLASSIFIERS, DATA, noisy, out_of_fold
from environment import describe_environment
from ferclean.audit.auditor import audit_labels
from ferclean.audit.translation import directed_share, label_meaning, translate
from ferclean.methods.remedies import direction, human_share, noise_urgency
from ferclean.tables.atomic import write_json

RECORD = Path(__file__).parent / "results" / "translation_suite.json"
DATA_SETS = ("digits", "b3", "b7", "b10hard", "b10imb")
NETWORKS = ("lr", "mlpshort", "mlp")
NOISE = (
    *(("human", 0.2), ("human", 0.4), ("blur", 0.2), ("blur", 0.4), ("sym", 0.2), ("sym", 0.4)),
    *(("cls", 0.2), ("pair", 0.2), ("none", 0.0)),
)
Case = tuple[str, str, float, str]  # data set, kind of noise, its rate, classifier


def cases() -> Iterator[Case]:
    """Yield every combination."""
    for data in DATA_SETS:
        for kind, rate in NOISE:
            for network in NETWORKS:
                yield data, kind, rate, network


def run_case(case: Case) -> tuple[str, dict[str, float]]:
    """Measure one combination on rows that no classifier has seen."""
    warnings.filterwarnings("ignore")  # short schedules do not converge, on purpose
    data, kind, rate, network = case
    features, true = DATA[data]()
    labels = true.copy() if kind == "none" else noisy(features, true, kind, rate)
    seen, unseen = train_test_split(
        np.arange(len(true)), test_size=0.3, random_state=0, stratify=true
    )
    audit = audit_labels(out_of_fold(features[seen], labels[seen], network), labels[seen])
    meaning = label_meaning(audit.posterior, labels[seen])
    directed = directed_share(meaning, labels[seen])
    share = human_share(audit.steepness) * noise_urgency(audit.noise_rate) * direction(directed)
    said = CLASSIFIERS[network]().fit(features[seen], labels[seen]).predict_proba(features[unseen])
    found: dict[str, float] = {"directed": directed, "share": share}
    for name, part in (("plain", 0.0), ("whole", 1.0), ("ferclean", share)):
        temperature = float(audit.temperatures[0])
        told = translate(said, meaning, temperature=temperature, share=part).argmax(axis=1)
        found[f"accuracy_{name}"] = float(accuracy_score(true[unseen], told))
        found[f"class_accuracy_{name}"] = float(balanced_accuracy_score(true[unseen], told))
    return "-".join(map(str, case)), found


def main() -> None:
    """Run all and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        found: dict[str, Any] = {}
        for name, case in pool.map(run_case, cases()):
            found[name] = case
            print(name, {key: round(value, 3) for key, value in case.items()}, flush=True)
    record = {
        "protocol": "translation_suite",
        "command": "python benchmarks/translation_suite.py",
        "environment": describe_environment("cpu"),
        "cases": found,
    }
    write_json(RECORD, record)


if __name__ == "__main__":
    main()
