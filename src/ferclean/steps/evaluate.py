"""Step ``evaluate``: what one run achieved, and its repaired label table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferclean.config.evaluate import EvaluateSettings
from ferclean.config.load import Settings
from ferclean.errors import FercleanError
from ferclean.evaluate.calibration import expected_calibration_error, reliability_table
from ferclean.evaluate.cost import TIMING_COLUMNS
from ferclean.evaluate.curves import METRICS, epoch_metrics, reported_metrics
from ferclean.evaluate.distributions import agreement, entropy, two_label_agreement
from ferclean.evaluate.repair import pair_table
from ferclean.evaluate.reviewed import review_metrics, with_decisions
from ferclean.evaluate.rounds import label_metrics, repair_pairs, repaired_table, round_table
from ferclean.evaluate.truth import (
    best_known_codes,
    judged_rows,
    known_distributions,
    vote_shares,
)
from ferclean.evaluate.uncertainty import DOUBTS, doubt_correlations
from ferclean.progress import say
from ferclean.steps.predictions import Predictions, read_run_predictions
from ferclean.tables.atomic import write_csv, write_json
from ferclean.tables.csv_files import read_csv
from ferclean.tables.labels import ACTIONS, LabelTable, read_label_table, write_label_table
from ferclean.tables.partitions import read_evidence, read_threshold
from ferclean.tables.review import decided_rows


def evaluate(
    *, labels: Path, pretrain: Path, denoise: Path, rounds: int, output: Path, settings: Settings
) -> None:
    """Measure a run.

    Parameters
    ----------
    labels : Path
        ``labels.parquet`` of the noise step, with the evaluation-only columns.
    pretrain : Path
        The run's pretraining folder.
    denoise : Path
        Folder that holds ``round_0`` to ``round_<rounds>``.
    rounds : int
        Number of training rounds.
    output : Path
        Folder for ``metrics.json``, ``epochs.csv``, ``rounds.csv``, ``confusion.csv``,
        ``calibration.csv``, ``labels.parquet``, ``labels.csv`` and, apart from the others
        because clocks never agree, ``timing.csv``.
    settings : Settings
        Section ``evaluate``.

    Raises
    ------
    FercleanError
        If a file is missing or the files do not belong together.
    """
    base = read_label_table(labels)
    denoised = [denoise / f"round_{r}" for r in range(rounds + 1)]
    tables = [_read_round(folder / "labels.parquet") for folder in denoised]
    folders = [pretrain, *denoised[1:]]
    predictions = read_run_predictions(folders)
    epochs = _read_rounds(folders, "history.csv", ("epoch",))
    timing = _read_rounds(folders, "timing.csv", TIMING_COLUMNS)
    _check_epochs(epochs, predictions, pretrain)
    _measure(
        base,
        tables,
        predictions,
        epochs,
        partitions=[folder / "partition.parquet" for folder in denoised],
        output=output,
        settings=settings.evaluate,
    )
    write_csv(output / "timing.csv", timing, float_format="%.6g")


def _read_rounds(folders: Sequence[Path], name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table that every round wrote, one below the other, with the number of the round."""
    tables = []
    for number, folder in enumerate(folders):
        table = read_csv(folder / name, required=columns)
        table.insert(1, "round", number)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _read_round(path: Path) -> LabelTable:
    table = read_label_table(path)
    needed = ["label", "clean_probability", "weight", "action", *(f"p_{c}" for c in table.classes)]
    absent = [column for column in needed if column not in table.frame]
    if absent:
        raise FercleanError(f"{path}: column {absent[0]!r} is missing")
    values = table.frame["clean_probability"]
    if not values.between(0, 1).all():
        raise FercleanError(f"{path}: clean_probability must lie in [0, 1]; rerun that round")
    if (table.codes("label") < 0).any():
        raise FercleanError(f"{path}: a row has no label; rerun that round")
    return table


def _check_epochs(epochs: pd.DataFrame, predictions: Predictions, pretrain: Path) -> None:
    in_order = np.all(np.diff(predictions.epoch) == 1) and len(predictions.epoch)
    if not in_order or not np.array_equal(epochs["epoch"].to_numpy(), predictions.epoch):
        raise FercleanError(
            f"history.csv and predictions.npz of {pretrain} and its rounds must list the same "
            "epochs, one after the other; rerun the run"
        )


def _measure(
    base: LabelTable,
    tables: list[LabelTable],
    predictions: Predictions,
    epochs: pd.DataFrame,
    *,
    partitions: Sequence[Path],
    output: Path,
    settings: EvaluateSettings,
) -> None:
    mask = judged_rows(base, tables)
    repaired = with_decisions(repaired_table(base, mask, tables))
    in_run = base.take(mask)
    # A method is measured by what no person decided.
    undecided = ~decided_rows(in_run.frame)
    judged, rows = in_run.take(undecided), [table.take(undecided) for table in tables]
    test = base.take(base.in_split("test") & (best_known_codes(base) >= 0))
    val = base.take(base.in_split("val") & (base.codes("observed") >= 0))
    on_test, truth = predictions.of_rows(test), best_known_codes(test)
    epochs = _with_scores(epochs, on_test, truth, predictions.of_rows(val), val)
    reliability = reliability_table(on_test[-1], truth, bins=settings.calibration_bins)
    rounds = round_table(judged, rows, thresholds=[read_threshold(p) for p in partitions])
    test_pairs = pair_table("test", truth, on_test[-1].argmax(axis=1), base.classes)
    confusion = pd.concat([test_pairs, repair_pairs(judged, rows[-1])], ignore_index=True)
    metrics = {
        "train_rows": len(judged),
        "train_rows_left_out": int((base.in_split("train") & ~mask).sum()),
        "val_rows": len(val),
        "test_rows": len(test),
        "epochs": len(epochs),
        "rounds": len(tables) - 1,
        **_test_metrics(epochs, reliability, has_validation=len(val) > 0),
        **_test_votes(test, on_test[-1]),
        **_test_compounds(test, on_test[-1]),
        **_test_doubts(test, on_test[-1], predictions.doubts_of_rows(test)),
        **_training_doubts(in_run, undecided, partitions[-1]),
        **label_metrics(judged, rows[-1]),
        **_round_metrics(rounds),
        **review_metrics(base, repaired),
    }
    write_label_table(repaired, output / "labels.parquet")
    frames = {"epochs": epochs, "rounds": rounds, "calibration": reliability}
    for name, frame in {**frames, "labels": repaired.frame, "confusion": confusion}.items():
        write_csv(output / f"{name}.csv", frame, float_format="%.6g")
    write_json(output / "metrics.json", metrics)
    say(_closing_line(metrics))


def _with_scores(
    epochs: pd.DataFrame,
    test_predictions: np.ndarray,
    test_truth: np.ndarray,
    val_predictions: np.ndarray,
    val: LabelTable,
) -> pd.DataFrame:
    scores = epoch_metrics(test_predictions, test_truth).add_prefix("test_")
    # Validation labels are the observed, noisy ones: a user has no others to choose by.
    on_val = epoch_metrics(val_predictions, val.codes("observed"))["accuracy"]
    return epochs.assign(**scores, val_accuracy_observed=on_val)


def _test_metrics(
    epochs: pd.DataFrame, reliability: pd.DataFrame, *, has_validation: bool
) -> dict[str, Any]:
    test = epochs[[f"test_{name}" for name in METRICS]].set_axis(list(METRICS), axis=1)
    on_val = epochs["val_accuracy_observed"].to_numpy() if has_validation else None
    selected = None if on_val is None else int(epochs["epoch"].iloc[int(np.argmax(on_val))])
    return {
        **{f"test_{key}": value for key, value in reported_metrics(test, on_val).items()},
        "test_ece_last_epoch": expected_calibration_error(reliability),
        "validation_selected_epoch": selected,
        "val_accuracy_observed_last_epoch": None if on_val is None else float(on_val[-1]),
    }


def _test_votes(test: LabelTable, probabilities: np.ndarray) -> dict[str, Any]:
    voted = agreement(vote_shares(test), probabilities, probabilities.argmax(axis=1))
    return {
        "test_votes_rows": voted["rows"],
        "test_votes_share_of_predicted_label": voted["share"],
        "test_votes_entropy_spearman": voted["entropy_spearman"],
    }


def _test_compounds(test: LabelTable, probabilities: np.ndarray) -> dict[str, Any]:
    found = two_label_agreement(known_distributions(test), probabilities)
    return {"test_two_label_rows": found["rows"], "test_two_label_agreement": found["share"]}


def _test_doubts(
    test: LabelTable, probabilities: np.ndarray, doubts: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Correlate the prediction's entropy, and what the method doubts, with what is known."""
    every = {"prediction": entropy(probabilities), **doubts}
    return _doubt_metrics("test_uncertainty", every, test)


def _training_doubts(in_run: LabelTable, undecided: np.ndarray, partition: Path) -> dict[str, Any]:
    doubts = read_evidence(partition, DOUBTS, in_run.frame["sample_id"].to_numpy())
    seen = {name: values[undecided] for name, values in doubts.items()}
    return _doubt_metrics("uncertainty", seen, in_run.take(undecided))


def _doubt_metrics(prefix: str, doubts: dict[str, np.ndarray], table: LabelTable) -> dict[str, Any]:
    """Name the correlations; a method that tells no doubts apart has none, under the same keys."""
    references = {"votes": vote_shares(table), "truth": known_distributions(table)}
    absent = {f"{name}_{kind}_spearman": None for name in DOUBTS for kind in references}
    found = {**absent, **doubt_correlations(doubts, references)}
    return {f"{prefix}_{key}": value for key, value in found.items()}


def _round_metrics(rounds: pd.DataFrame) -> dict[str, Any]:
    """Take the last round's row, and every round's label accuracy, out of the rounds' table."""
    last = {str(name): _null(value) for name, value in rounds.iloc[-1].items()}
    return {
        "noise_rate_estimated": last["noise_rate_estimated"],
        **{
            f"label_accuracy_round_{number}": _null(value)
            for number, value in enumerate(rounds["label_accuracy_after"])
        },
        **{f"actions_{action}": last[action] for action in ACTIONS},
        **{name: value for name, value in last.items() if name.startswith("detection_")},
    }


def _null(value: Any) -> Any:
    """Turn a table cell into plain JSON: missing is ``None``, NumPy numbers are Python's."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _closing_line(metrics: dict[str, Any]) -> str:
    def show(key: str) -> str:
        return "unknown" if metrics[key] is None else f"{metrics[key]:.3f}"

    return (
        f"test accuracy {show('test_accuracy_last_epoch')} (last epoch), "
        f"label accuracy {show('label_accuracy_observed')} -> {show('label_accuracy_final')}, "
        f"detection AUROC {show('detection_auroc')}"
    )
