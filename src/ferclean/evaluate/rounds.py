"""The story of the labels over the rounds, and the repaired label table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferclean.evaluate.detection import called_wrong, detection_metrics
from ferclean.evaluate.distributions import agreement, divergences, two_label_agreement
from ferclean.evaluate.repair import action_counts, label_accuracy, pair_table
from ferclean.evaluate.truth import (
    known_distributions,
    one_hot,
    true_codes,
    true_distributions,
    vote_shares,
)
from ferclean.tables.labels import LabelTable, labels_from_codes, make_table


def round_table(
    judged: LabelTable, rounds: Sequence[LabelTable], *, thresholds: Sequence[float]
) -> pd.DataFrame:
    """One row a round: label accuracy before and after, actions, detection.

    Parameters
    ----------
    judged : LabelTable
        The training rows of the run with their evaluation-only columns.
    rounds : sequence of LabelTable
        Tables of rounds 0..R with the same rows in the same order.
    thresholds : sequence of float
        The method's own cut-off of each round: rows with a clean probability at or below it are
        called wrong.

    Returns
    -------
    pandas.DataFrame
        ``round``, ``rows``, the four actions, ``changed`` (labels that differ from the observed
        ones), ``mean_weight``, ``label_accuracy_before`` (of the previous round's labels; of the
        observed ones for round 0), ``label_accuracy_after``, ``noise_rate_estimated`` (share
        of all rows called wrong) and ``detection_*``.
    """
    before, records = judged.codes("observed"), []
    for number, (table, threshold) in enumerate(zip(rounds, thresholds, strict=True)):
        records.append(_round_record(judged, table, before, number=number, threshold=threshold))
        before = table.codes("label")
    return pd.DataFrame(records)


def _round_record(
    judged: LabelTable, table: LabelTable, before: np.ndarray, *, number: int, threshold: float
) -> dict[str, Any]:
    true, observed, after = true_codes(judged), judged.codes("observed"), table.codes("label")
    clean_probability = table.frame["clean_probability"].to_numpy(dtype=np.float64)
    known = (true >= 0) & (observed >= 0)
    detection = detection_metrics(
        (observed != true)[known], clean_probability[known], threshold=threshold
    )
    return {
        "round": number,
        "rows": len(table),
        **action_counts(table.frame["action"]),
        "changed": int((after != observed).sum()),
        "mean_weight": float(table.frame["weight"].mean()),
        "label_accuracy_before": label_accuracy(before, true),
        "label_accuracy_after": label_accuracy(after, true),
        "noise_rate_estimated": float(called_wrong(clean_probability, threshold).mean()),
        **{f"detection_{key}": value for key, value in detection.items()},
    }


def label_metrics(judged: LabelTable, final: LabelTable) -> dict[str, Any]:
    """Measure the final labels against the truth, the true distributions and the votes.

    Returns
    -------
    dict
        Flat keys ``label_accuracy_*``, ``noise_rate_observed``, ``divergence_*``,
        ``two_label_*`` and ``votes_*``; values that cannot be had are ``None`` and
        ``*_unavailable`` says why.
    """
    true, label = true_codes(judged), final.codes("label")
    in_use = np.where(final.frame["action"] == "drop", -1, label)
    observed_accuracy = label_accuracy(judged.codes("observed"), true)
    return {
        "noise_rate_observed": None if observed_accuracy is None else 1 - observed_accuracy,
        "label_accuracy_given": label_accuracy(judged.codes("given"), true),
        "label_accuracy_observed": observed_accuracy,
        "label_accuracy_final": label_accuracy(label, true),
        "label_accuracy_final_without_dropped": label_accuracy(in_use, true),
        "label_accuracy_unavailable": None
        if (true >= 0).any()
        else "the true label of no training row is known",
        **_distribution_metrics(judged, final),
    }


def _distribution_metrics(judged: LabelTable, final: LabelTable) -> dict[str, Any]:
    truth, votes = true_distributions(judged), vote_shares(judged)
    repaired, label = final.matrix("p_"), final.codes("label")
    observed = one_hot(judged.codes("observed"), len(judged.classes))
    after, before = divergences(truth, repaired), divergences(truth, observed)
    compound = two_label_agreement(known_distributions(judged), repaired)
    voted = agreement(votes, repaired, label)
    voted_before = agreement(votes, observed, judged.codes("observed"))
    return {
        "divergence_rows": after["rows"],
        "divergence_kl_observed": before["kl"],
        "divergence_kl_final": after["kl"],
        "divergence_js_observed": before["js"],
        "divergence_js_final": after["js"],
        "divergence_unavailable": None
        if after["rows"]
        else "no training row has a true label distribution or votes",
        "two_label_rows": compound["rows"],
        "two_label_agreement_final": compound["share"],
        "two_label_unavailable": None
        if compound["rows"]
        else "no training row is known to show two classes",
        "votes_rows": voted["rows"],
        "votes_share_of_observed_label": voted_before["share"],
        "votes_share_of_final_label": voted["share"],
        "votes_entropy_spearman_final": voted["entropy_spearman"],
        "votes_unavailable": None if voted["rows"] else "no training row has votes",
    }


def repair_pairs(judged: LabelTable, final: LabelTable) -> pd.DataFrame:
    """Count class pairs of the training labels in long form, see :func:`pair_table`.

    ``suggested`` is observed label by suggested label; ``observed`` and ``repaired`` are true
    label by observed and by final label. ``label_accuracy`` in ``observed`` is the share of a
    pair's rows whose final label is the true one.
    """
    true, observed, label = true_codes(judged), judged.codes("observed"), final.codes("label")
    classes = judged.classes
    return pd.concat(
        [
            pair_table("suggested", observed, label, classes),
            pair_table("observed", true, observed, classes, correct=label == true),
            pair_table("repaired", true, label, classes),
        ],
        ignore_index=True,
    )


def repaired_table(base: LabelTable, mask: np.ndarray, rounds: Sequence[LabelTable]) -> LabelTable:
    """Join the base table with the final labels and the history: what a user takes away.

    Parameters
    ----------
    base : LabelTable
        All rows.
    mask : numpy.ndarray
        ``(N,)`` bool, the rows that the rounds hold (:func:`ferclean.evaluate.truth.judged_rows`).
    rounds : sequence of LabelTable
        Tables of rounds 0..R.

    Returns
    -------
    LabelTable
        All rows and columns of `base`, then ``suggested_label`` and ``label_quality`` (the final
        label and clean probability), the final round's own columns, and ``label_round_<r>`` and
        ``clean_probability_round_<r>``. New columns are null in rows no round judges (val, test).
    """
    final, classes = rounds[-1], base.classes
    added: dict[str, Any] = {
        "suggested_label": _spread_labels(final.codes("label"), mask, classes),
        "label_quality": _spread(final.frame["clean_probability"], mask),
    }
    for name in final.frame.columns:
        if name not in base.frame:
            is_label = name == "label"
            added[name] = (
                _spread_labels(final.codes("label"), mask, classes)
                if is_label
                else _spread(final.frame[name], mask)
            )
    for number, table in enumerate(rounds):
        added[f"label_round_{number}"] = _spread_labels(table.codes("label"), mask, classes)
        quality = _spread(table.frame["clean_probability"], mask)
        added[f"clean_probability_round_{number}"] = quality
    return make_table(base.frame.assign(**added), classes, base.dataset)


def _spread(values: pd.Series, mask: np.ndarray) -> pd.Series:
    return pd.Series(values.to_numpy(), index=np.flatnonzero(mask)).reindex(range(len(mask)))


def _spread_labels(codes: np.ndarray, mask: np.ndarray, classes: Sequence[str]) -> pd.Categorical:
    spread = np.full(len(mask), -1, dtype=np.int64)
    spread[mask] = codes
    return labels_from_codes(spread, classes)
