"""P3: which of FER2013's own labels are wrong, judged by FER+.

    python benchmarks/p3_audit.py --data ../shared/data

Runs what ``ferclean audit --data`` runs, with the preset ``audit``, on P1's training pictures and
FER2013's labels, and judges the result where FER+ is sure (at least 6 votes on one class). FER+
decides which pictures belong to the protocol and is read again only to judge.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, roc_auc_score

from environment import describe_environment, require_data
from ferclean.config.load import build_settings
from ferclean.config.presets import load_preset, merge
from ferclean.evaluate.calibration import expected_calibration_error, reliability_table
from ferclean.steps.audit_pictures import audit_pictures
from ferclean.tables.atomic import read_json, write_json
from ferclean.tables.labels import read_label_table

HERE = Path(__file__).parent
FILE = "fer2013plus.parquet"
# Votes on one class from which FER+ is taken for the truth.
SURE_VOTES = 6
_DOUBTED = ("wrong", "ambiguous")


def judge(audit: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    """Compare an audit with the true labels of the same rows."""
    given, true = audit["given_label"].astype(str), truth["true"].astype(str)
    wrong = (given.to_numpy() != true.to_numpy()).astype(int)
    suggested = audit["suggested_label"].astype(str)
    doubt = 1.0 - audit["label_quality"].to_numpy(dtype=np.float64)
    called = audit["verdict"].isin(_DOUBTED).to_numpy()
    precision, recall, _ = precision_recall_curve(wrong, doubt)
    best = (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max()
    repaired = np.where(called, suggested, given)
    return {
        "rows": len(audit),
        "noise_rate": float(wrong.mean()),
        "estimated_noise_rate": float(doubt.mean()),
        "auroc": roc_auc_score(wrong, doubt),
        "average_precision": average_precision_score(wrong, doubt),
        "f1": f1_score(wrong, called),
        "oracle_f1": float(best),
        "calibration_error": _calibration_error(doubt, wrong),
        "labels_right_before": 1.0 - float(wrong.mean()),
        "labels_right_after": float((repaired == true.to_numpy()).mean()),
        "suggestions_right": float(
            (audit["suggested_label"].astype(str) == true.to_numpy()).mean()
        ),
    }


def _calibration_error(doubt: np.ndarray, wrong: np.ndarray) -> float | None:
    """Compare doubt with the share of wrong labels, in 15 bins of the surer of both sides."""
    both = np.stack([1.0 - doubt, doubt], axis=1)
    return expected_calibration_error(reliability_table(both, wrong, bins=15))


def run(data: Path, work: Path, seed: int, device: str) -> dict[str, Any]:
    """Audit, and judge all rows and those that FER+ is sure of."""
    source = {
        "source": "fer2013_parquet",
        "path": str(data / FILE),
        "labels": "given",
    }
    laid = {"data": source, "align": {"detector": "already_aligned"}}
    settings = build_settings(merge(load_preset("audit"), laid))
    output = work / f"seed{seed}"
    # What is done already would cost no time.
    shutil.rmtree(output, ignore_errors=True)
    started = time.perf_counter()
    audit_pictures(settings=settings, output=output, seed=seed, device=device, fit_epochs=True)
    seconds = time.perf_counter() - started
    audit = pd.read_parquet(output / "audit.parquet").set_index("sample_id")
    truth = read_label_table(output / "work/noise/labels.parquet").frame.set_index("sample_id")
    truth = truth.loc[audit.index]
    votes = truth.filter(regex="^votes_").to_numpy()
    known = truth["true"].notna().to_numpy()
    sure = known & (votes.max(axis=1) >= SURE_VOTES)
    return {
        "seconds": seconds,
        "sure": judge(audit[sure], truth[sure]),
        "all": judge(audit[known], truth[known]),
    }


def main() -> None:
    """Run what is asked for and add it to the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("FERCLEAN_SHARED_DATA"))
    parser.add_argument("--work", type=Path, default=Path("results/benchmarks/p3"))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "cuda"])
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder of fer2013plus.parquet with --data")
    require_data(Path(options.data) / FILE)
    path = HERE / "results" / "p3_audit.json"
    record: dict[str, Any] = {
        "protocol": "p3_audit",
        "runs": read_json(path)["runs"] if path.exists() else {},
    }
    for seed in options.seeds:
        found = run(Path(options.data), options.work, seed, options.device)
        environment = describe_environment(options.device)
        record["runs"][f"seed{seed}"] = {**found, "environment": environment}
        record["runs"] = dict(sorted(record["runs"].items()))
        seeds = " ".join(name.removeprefix("seed") for name in record["runs"])
        record["command"] = f"python benchmarks/p3_audit.py --seeds {seeds}"
        print(f"seed {seed}: {found}")
        write_json(path, record)


if __name__ == "__main__":
    main()
