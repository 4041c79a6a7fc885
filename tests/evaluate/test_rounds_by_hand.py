"""Numbers of the rounds and of the final labels against loops over the rows."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from ferclean.evaluate.rounds import label_metrics, round_table
from ferclean.tables.labels import LabelTable, labels_from_codes, make_table

CLASSES, ROWS = ("happy", "sad", "angry"), 60


def random_codes(rng, *, missing=()):
    codes = rng.integers(0, 3, ROWS)
    codes[list(missing)] = -1
    return labels_from_codes(codes, CLASSES)


@pytest.fixture
def judged() -> LabelTable:
    """Rows whose given, true and observed labels, true distributions and votes all differ."""
    rng = np.random.default_rng(1)
    true, votes = rng.dirichlet(np.ones(3), ROWS), rng.multinomial(10, np.ones(3) / 3, ROWS)
    true[::3], votes[4::5] = np.nan, 0  # votes stand in where there are any
    frame = pd.DataFrame({"sample_id": [f"s{i:02d}" for i in range(ROWS)], "path": "a.png"})
    frame = frame.assign(
        split="train",
        given=random_codes(rng),
        true=random_codes(rng, missing=(5, 6)),
        observed=random_codes(rng, missing=(6, 7)),
    )
    frame[[f"true_p_{name}" for name in CLASSES]] = true
    frame[[f"votes_{name}" for name in CLASSES]] = votes
    return make_table(frame, CLASSES, "faces")


def a_round(judged: LabelTable, seed: int) -> LabelTable:
    rng = np.random.default_rng(seed)
    frame = judged.frame[["sample_id", "path", "split"]].assign(
        label=random_codes(rng),
        clean_probability=rng.choice([0.2, 0.3, 0.7, 0.8], ROWS).astype(np.float32),
        weight=rng.uniform(0, 2, ROWS),
        action=rng.choice(["keep", "relabel", "soften", "drop"], ROWS),
    )
    frame[[f"p_{name}" for name in CLASSES]] = rng.dirichlet(np.full(3, 0.2), ROWS)
    return make_table(frame, CLASSES, "faces")


def one_hot(code):
    return [float(code == k) for k in range(3)]


def naive_kl(p, q):
    floored = [max(b, 1e-6) for b in q]
    return sum(
        a * math.log(a / (b / sum(floored))) for a, b in zip(p, floored, strict=True) if a > 0
    )


def naive_js(p, q):
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    pairs = [*zip(p, middle, strict=True), *zip(q, middle, strict=True)]
    return sum(a * math.log(a / m) for a, m in pairs if a > 0) / 2


def naive_truth(judged):
    """True distributions, else vote shares, else nothing, by row."""
    known, votes = judged.matrix("true_p_"), judged.matrix("votes_")
    found = []
    for p, v in zip(known, votes, strict=True):
        shares = v / v.sum() if v.sum() else None
        found.append(shares if np.isnan(p).any() else p)
    return found


def naive_accuracy(labels, truth):
    pairs = [(a, b) for a, b in zip(labels, truth, strict=True) if a >= 0 and b >= 0]
    return sum(a == b for a, b in pairs) / len(pairs)


def test_divergences_before_and_after_are_those_of_observed_and_final_labels(judged):
    final, truth = a_round(judged, 0), naive_truth(judged)
    found = label_metrics(judged, final)
    observed, repaired = judged.codes("observed"), final.matrix("p_")
    rows = [i for i in range(ROWS) if truth[i] is not None]
    asked = [i for i in rows if observed[i] >= 0]
    assert 0 < found["divergence_rows"] == len(rows) < ROWS and len(asked) < len(rows)
    for name, naive in (("kl", naive_kl), ("js", naive_js)):
        before = np.mean([naive(truth[i], one_hot(observed[i])) for i in asked])
        after = np.mean([naive(truth[i], repaired[i]) for i in rows])
        assert found[f"divergence_{name}_observed"] == pytest.approx(before)
        assert found[f"divergence_{name}_final"] == pytest.approx(after)


def test_label_accuracies_are_each_columns_own(judged):
    final = a_round(judged, 0)
    found, true = label_metrics(judged, final), judged.codes("true")
    label, action = final.codes("label"), final.frame["action"]
    for name in ("given", "observed"):
        expected = naive_accuracy(judged.codes(name), true)
        assert found[f"label_accuracy_{name}"] == pytest.approx(expected)
    assert found["noise_rate_observed"] == pytest.approx(1 - found["label_accuracy_observed"])
    assert found["label_accuracy_final"] == pytest.approx(naive_accuracy(label, true))
    in_use = [-1 if what == "drop" else code for what, code in zip(action, label, strict=True)]
    expected = naive_accuracy(in_use, true)
    assert found["label_accuracy_final_without_dropped"] == pytest.approx(expected)


def test_votes_are_compared_with_the_final_distributions(judged):
    final = a_round(judged, 0)
    found = label_metrics(judged, final)
    votes, repaired = judged.matrix("votes_"), final.matrix("p_")
    rows = [i for i in range(ROWS) if votes[i].sum() > 0]
    shares = votes / 10
    # Rounded as the code does, so that the same votes for other classes tie.
    entropies = [
        [round(-sum(x * math.log(x) for x in p[i] if x > 0), 12) for i in rows]
        for p in (shares, repaired)
    ]
    expected = np.corrcoef(*(rankdata(values) for values in entropies))[0, 1]
    assert found["votes_rows"] == len(rows) < ROWS
    assert found["votes_entropy_spearman_final"] == pytest.approx(expected)
    for name, codes in (("observed", judged.codes("observed")), ("final", final.codes("label"))):
        share = np.mean([shares[i, codes[i]] for i in rows if codes[i] >= 0])
        assert found[f"votes_share_of_{name}_label"] == pytest.approx(share)


def test_each_round_is_counted_row_by_row(judged):
    rounds = [a_round(judged, seed) for seed in (0, 1)]
    table = round_table(judged, rounds, thresholds=[0.3, 0.2])
    true, observed = judged.codes("true"), judged.codes("observed")
    before = observed
    # A value of the tables that is the cut-off itself is called wrong.
    for found, one, most in zip(table.to_dict("records"), rounds, (0.4, 0.25), strict=True):
        label, clean = one.codes("label"), one.frame["clean_probability"].to_numpy()
        called = [float(c) < most for c in clean]
        assert found["mean_weight"] == pytest.approx(sum(one.frame["weight"]) / ROWS)
        assert found["noise_rate_estimated"] == pytest.approx(sum(called) / ROWS)
        assert found["label_accuracy_before"] == pytest.approx(naive_accuracy(before, true))
        assert found["label_accuracy_after"] == pytest.approx(naive_accuracy(label, true))
        assert found["changed"] == sum(a != b for a, b in zip(label, observed, strict=True))
        known = [i for i in range(ROWS) if true[i] >= 0 and observed[i] >= 0]
        hits = sum(called[i] and true[i] != observed[i] for i in known)
        assert found["detection_rows"] == len(known) == ROWS - 3
        assert found["detection_called_wrong"] == sum(called[i] for i in known)
        assert found["detection_precision"] == pytest.approx(hits / sum(called[i] for i in known))
        before = label
