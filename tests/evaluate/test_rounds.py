import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.evaluate.rounds import label_metrics, repair_pairs, repaired_table, round_table
from ferclean.evaluate.truth import judged_rows
from ferclean.tables.labels import TRAINING_COLUMNS, LabelTable, labels_from_codes, make_table
from fixtures.fake_run import CLASSES, make_base_table


@pytest.fixture
def base() -> LabelTable:
    return make_base_table(140, rate=0.4, rng=np.random.default_rng(3), votes=True)


def a_round(rows: LabelTable, labels: np.ndarray, clean: np.ndarray) -> LabelTable:
    frame = rows.frame[list(TRAINING_COLUMNS)].assign(
        label=labels_from_codes(labels, CLASSES),
        clean_probability=clean,
        weight=1.0,
        action=np.where(labels == rows.codes("observed"), "keep", "relabel"),
        reason="because",
    )
    frame[[f"p_{name}" for name in CLASSES]] = np.eye(len(CLASSES))[labels]
    return make_table(frame, CLASSES, rows.dataset)


def train_rows(base: LabelTable) -> LabelTable:
    return base.take(base.in_split("train"))


def test_rounds_tell_accuracy_before_and_after(base):
    train = train_rows(base)
    true, observed = train.codes("true"), train.codes("observed")
    half = np.where(np.arange(len(train)) % 2, true, observed)
    clean = (true == observed).astype(float)
    table = round_table(
        train, [a_round(train, half, clean), a_round(train, true, clean)], thresholds=[0.5, 0.5]
    )
    assert table["label_accuracy_before"].tolist() == [
        pytest.approx((observed == true).mean()), pytest.approx((half == true).mean())
    ]  # fmt: skip
    assert table["label_accuracy_after"].iloc[-1] == 1.0
    assert table["changed"].tolist() == [(half != observed).sum(), (true != observed).sum()]
    assert (table[["keep", "relabel", "soften", "drop"]].sum(axis=1) == len(train)).all()
    assert (table["detection_auroc"] == 1.0).all()
    assert table["noise_rate_estimated"].iloc[0] == pytest.approx((true != observed).mean())


def test_two_labels_are_asked_for_where_two_are_known(base):
    train = train_rows(base)
    truth = train.matrix("true_p_")
    compound = (truth > 0).sum(axis=1) == 2
    hard = a_round(train, train.codes("true"), np.ones(len(train)))
    soft = hard.with_columns(**{f"p_{name}": truth[:, k] for k, name in enumerate(CLASSES)})
    assert label_metrics(train, hard)["two_label_agreement_final"] == 0.0
    found = label_metrics(train, soft)
    assert found["two_label_agreement_final"] == 1.0
    assert found["two_label_rows"] == compound.sum() > 0
    assert found["two_label_unavailable"] is None
    votes_only = LabelTable(
        train.frame.drop(columns=[f"true_p_{name}" for name in CLASSES]), CLASSES, "votes"
    )
    assert label_metrics(votes_only, soft)["two_label_rows"] == 0


def test_perfect_labels_agree_with_truth_and_votes_better_than_observed_ones(base):
    train = train_rows(base)
    true = train.codes("true")
    found = label_metrics(train, a_round(train, true, np.ones(len(train))))
    assert found["label_accuracy_final"] == 1.0
    assert found["label_accuracy_observed"] < 0.8
    assert found["divergence_js_final"] < found["divergence_js_observed"]
    assert found["votes_share_of_final_label"] > found["votes_share_of_observed_label"]


def test_dropped_rows_do_not_count_where_the_name_says_so(base):
    train = train_rows(base)
    true, observed = train.codes("true"), train.codes("observed")
    final = a_round(train, observed, np.ones(len(train)))
    final = final.with_columns(action=np.where(true == observed, "keep", "drop"))
    found = label_metrics(train, final)
    assert found["label_accuracy_final"] < 1.0
    assert found["label_accuracy_final_without_dropped"] == 1.0


def test_a_missing_observed_label_is_left_out_of_the_comparison(base):
    train = train_rows(base)
    observed = train.codes("observed")
    observed[0] = -1
    train = train.with_columns(observed=labels_from_codes(observed, CLASSES))
    final = a_round(train, train.codes("true"), np.ones(len(train)))
    assert round_table(train, [final], thresholds=[0.5])["detection_rows"].iloc[0] == len(train) - 1
    assert np.isfinite(label_metrics(train, final)["divergence_js_observed"])


def test_pairs_add_up(base):
    train = train_rows(base)
    pairs = repair_pairs(train, a_round(train, train.codes("true"), np.ones(len(train))))
    assert (pairs.groupby("table")["count"].sum() == len(train)).all()
    observed = pairs[(pairs["table"] == "observed") & (pairs["count"] > 0)]
    assert (observed["label_accuracy"] == 1.0).all()


def test_pairs_are_counted_row_by_column(base):
    train = train_rows(base)
    true, observed = train.codes("true"), train.codes("observed")
    label = np.random.default_rng(0).integers(0, 7, len(train))
    pairs = repair_pairs(train, a_round(train, label, np.ones(len(train))))
    tables = {
        "suggested": (observed, label),
        "observed": (true, observed),
        "repaired": (true, label),
    }
    for name, (rows, columns) in tables.items():
        expected = np.zeros((7, 7), dtype=int)
        np.add.at(expected, (rows, columns), 1)
        counts = pairs.loc[pairs["table"] == name, "count"].to_numpy().reshape(7, 7)
        np.testing.assert_array_equal(counts, expected)


def test_the_repaired_table_joins_by_id_and_leaves_other_rows_empty(base):
    train = train_rows(base)
    rng = np.random.default_rng(0)
    rounds = [
        a_round(train, rng.integers(0, 7, len(train)), rng.random(len(train))) for _ in range(2)
    ]
    table = repaired_table(base, judged_rows(base, rounds), rounds)
    assert len(table) == len(base)
    assert table.frame["given"].equals(base.frame["given"])
    final = dict(zip(rounds[1].frame["sample_id"], rounds[1].frame["label"], strict=True))
    for row in table.frame.to_dict("records"):
        if row["split"] == "train":
            assert row["suggested_label"] == row["label"] == final[row["sample_id"]]
            assert row["label_quality"] == row["clean_probability_round_1"]
        else:
            assert pd.isna(row["suggested_label"])
            assert pd.isna(row["label_round_0"])


def test_only_the_oracle_clean_rows_may_be_left_out(base):
    train = train_rows(base)
    right = train.take(train.codes("observed") == train.codes("true"))
    clean = a_round(right, right.codes("true"), np.ones(len(right)))
    assert judged_rows(base, [clean]).sum() == len(right)
    fewer = clean.take(np.arange(1, len(clean)))
    with pytest.raises(FercleanError, match="lacks the training row"):
        judged_rows(base, [fewer])
    full = a_round(train, train.codes("true"), np.ones(len(train)))
    with pytest.raises(FercleanError, match="round_1"):
        judged_rows(base, [full, clean])


def test_a_run_that_lost_some_wrong_rows_is_no_oracle_clean_run(base):
    train = train_rows(base)
    wrong = np.flatnonzero(train.codes("observed") != train.codes("true"))
    some = train.take(np.delete(np.arange(len(train)), wrong[:2]))
    with pytest.raises(FercleanError, match="lacks the training row"):
        judged_rows(base, [a_round(some, some.codes("true"), np.ones(len(some)))])


def test_a_row_without_label_and_without_truth_is_not_known_to_be_right(base):
    unknown = np.flatnonzero(base.in_split("train"))[0]
    codes = {name: base.codes(name) for name in ("observed", "true")}
    for values in codes.values():
        values[unknown] = -1
    base = base.with_columns(**{n: labels_from_codes(c, CLASSES) for n, c in codes.items()})
    train = train_rows(base)
    true, observed = train.codes("true"), train.codes("observed")
    right = train.take((true >= 0) & (true == observed))
    mask = judged_rows(base, [a_round(right, right.codes("true"), np.ones(len(right)))])
    assert mask.sum() == len(right) and not mask[unknown]


def test_a_round_that_changed_the_inputs_is_refused(base):
    train = train_rows(base)
    table = a_round(train, train.codes("true"), np.ones(len(train)))
    table.frame["observed"] = labels_from_codes((table.codes("observed") + 1) % 7, CLASSES)
    with pytest.raises(FercleanError, match="observed"):
        judged_rows(base, [table])


def test_rows_in_another_order_are_refused(base):
    train = train_rows(base)
    table = a_round(train, train.codes("true"), np.ones(len(train)))
    table = LabelTable(table.frame.iloc[::-1].reset_index(drop=True), CLASSES, "fake faces")
    with pytest.raises(FercleanError, match="in another order or twice"):
        judged_rows(base, [table])


def test_an_unknown_row_is_refused(base):
    train = train_rows(base)
    table = a_round(train, train.codes("true"), np.ones(len(train)))
    odd = table.frame.iloc[[0]].assign(sample_id="zzz")
    table = make_table(pd.concat([table.frame, odd]), CLASSES, "fake faces")
    with pytest.raises(FercleanError, match="zzz"):
        judged_rows(base, [table])
