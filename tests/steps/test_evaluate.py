import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy, spearmanr

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.steps.evaluate import evaluate
from ferclean.tables.labels import read_label_table, write_label_table
from ferclean.tables.partitions import read_partition, write_partition
from fixtures.fake_run import FakeResults, make_fake_results

pytestmark = pytest.mark.slow

SETTINGS = build_settings({"evaluate": {}}, ["evaluate"])
FILES = (
    "metrics.json", "epochs.csv", "rounds.csv", "confusion.csv", "calibration.csv",
    "labels.parquet", "labels.csv",
)  # fmt: skip


def run(fake: FakeResults, method: str = "smr", **changes):
    arguments = {**fake.evaluate_arguments(method), **changes}
    evaluate(**arguments, settings=SETTINGS)
    return json.loads((arguments["output"] / "metrics.json").read_text())


@pytest.fixture
def fake(tmp_path):
    return make_fake_results(tmp_path, methods=("smr", "cross_entropy", "oracle_clean"))


def test_all_files_are_written_and_the_same_each_time(fake, tmp_path):
    run(fake)
    first = {name: (fake.evaluate_arguments("smr")["output"] / name).read_bytes() for name in FILES}
    run(fake, output=tmp_path / "again")
    assert {name: (tmp_path / "again" / name).read_bytes() for name in FILES} == first


def test_metrics_are_flat_and_agree_with_the_tables(fake):
    metrics = run(fake)
    assert all(value is None or isinstance(value, int | float | str) for value in metrics.values())
    folder = fake.evaluate_arguments("smr")["output"]
    labels = pd.read_csv(folder / "labels.csv")
    train = labels[labels["split"] == "train"]
    assert metrics["label_accuracy_final"] == pytest.approx(
        (train["suggested_label"] == train["true"]).mean()
    )
    assert metrics["noise_rate_observed"] == pytest.approx(
        (train["observed"] != train["true"]).mean()
    )
    assert metrics["actions_relabel"] == (train["action"] == "relabel").sum()
    epochs = pd.read_csv(folder / "epochs.csv")
    assert epochs["epoch"].tolist() == list(range(6))
    assert epochs["round"].tolist() == [0, 0, 1, 1, 2, 2]
    assert metrics["test_accuracy_last_epoch"] == pytest.approx(
        epochs["test_accuracy"].iloc[-1], abs=1e-5
    )
    best = epochs["epoch"][epochs["val_accuracy_observed"].idxmax()]
    assert metrics["validation_selected_epoch"] == best


def test_a_round_is_judged_by_the_cut_off_of_its_own_partition(fake):
    run(fake)
    rounds = fake.evaluate_arguments("smr")["output"] / "rounds.csv"
    before = pd.read_csv(rounds)
    path = fake.evaluate_arguments("smr")["denoise"] / "round_0" / "partition.parquet"
    ids = pd.read_parquet(path)["sample_id"].to_numpy()
    classes = read_label_table(fake.evaluate_arguments("smr")["labels"]).classes
    partition = replace(read_partition(path, classes, ids), threshold=1.0)
    write_partition(partition, ids, classes, path)
    run(fake)
    after = pd.read_csv(rounds)
    assert before["noise_rate_estimated"].iloc[0] < 1
    assert after["noise_rate_estimated"].iloc[0] == 1
    pd.testing.assert_frame_equal(after.iloc[1:], before.iloc[1:])


def test_test_rows_are_scored_against_the_truth_by_their_ids(fake):
    metrics = run(fake)
    content = np.load(fake.evaluate_arguments("smr")["denoise"] / "round_2" / "predictions.npz")
    true = read_label_table(fake.evaluate_arguments("smr")["labels"]).frame
    true = true.set_index("sample_id")
    hits = [
        true.loc[name, "true"] == true["true"].cat.categories[row.argmax()]
        for name, row in zip(content["sample_id"], content["probabilities"][-1], strict=True)
        if true.loc[name, "split"] == "test"
    ]
    assert metrics["test_accuracy_last_epoch"] == pytest.approx(np.mean(hits))


def test_every_row_comes_back_and_nothing_overwrites_given(fake):
    run(fake)
    before = read_label_table(fake.evaluate_arguments("smr")["labels"])
    after = read_label_table(fake.evaluate_arguments("smr")["output"] / "labels.parquet")
    for column in before.frame.columns:
        assert after.frame[column].equals(before.frame[column]), column
    assert {
        "suggested_label",
        "label_quality",
        "label_round_0",
        "clean_probability_round_2",
    } <= set(after.frame.columns)
    assert after.frame["suggested_label"].dtype == before.frame["given"].dtype


def test_the_oracle_clean_control_lacks_the_wrong_rows(fake):
    metrics = run(fake, "oracle_clean")
    assert metrics["train_rows_left_out"] > 0
    assert metrics["detection_auroc"] is None
    assert "no observed" in metrics["detection_unavailable"]
    assert metrics["label_accuracy_observed"] == 1.0


def test_without_truth_the_reasons_are_told(tmp_path):
    metrics = run(make_fake_results(tmp_path, truth=False))
    for key in ("detection_auroc", "label_accuracy_final", "divergence_js_final"):
        assert metrics[key] is None
    for key in ("detection", "label_accuracy", "divergence", "two_label", "votes"):
        assert isinstance(metrics[f"{key}_unavailable"], str)
    assert metrics["test_accuracy_last_epoch"] is not None


def test_without_validation_rows_nothing_is_selected(tmp_path):
    metrics = run(make_fake_results(tmp_path, validation=False))
    assert metrics["val_rows"] == 0
    assert metrics["validation_selected_epoch"] is None
    assert metrics["test_accuracy_validation_selected"] is None


def test_the_two_likeliest_classes_of_test_rows_are_compared_with_compounds(fake):
    metrics, arguments = run(fake), fake.evaluate_arguments("smr")
    table = read_label_table(arguments["labels"])
    with np.load(arguments["denoise"] / f"round_{fake.rounds}" / "predictions.npz") as content:
        of = dict(zip(content["sample_id"], content["probabilities"][-1], strict=True))
    test = table.take(table.in_split("test"))
    hits = []
    for name, truth in zip(test.frame["sample_id"], test.matrix("true_p_"), strict=True):
        if (truth > 0).sum() == 2:
            hits.append(set(np.argsort(of[name])[-2:]) == set(np.flatnonzero(truth)))
    assert metrics["test_two_label_rows"] == len(hits) > 0
    assert metrics["test_two_label_agreement"] == pytest.approx(np.mean(hits))


def test_votes_are_compared_with(tmp_path):
    metrics = run(make_fake_results(tmp_path, votes=True))
    assert 0 < metrics["votes_share_of_final_label"] <= 1
    assert 0 < metrics["test_votes_share_of_predicted_label"] <= 1
    assert metrics["votes_unavailable"] is None


def predictions_of_last_round(fake):
    return fake.evaluate_arguments("smr")["denoise"] / "round_2" / "predictions.npz"


def add_doubts(fake, **doubts):
    with np.load(predictions_of_last_round(fake)) as content:
        values = dict(content)
    named = {f"uncertainty_{name}": value for name, value in doubts.items()}
    np.savez(predictions_of_last_round(fake), **values, **named)


def test_doubts_are_correlated_with_the_entropy_of_votes_and_truth_by_ids(tmp_path):
    fake = make_fake_results(tmp_path, votes=True)
    frame = read_label_table(fake.evaluate_arguments("smr")["labels"]).frame
    frame = frame.set_index("sample_id")
    votes = frame[[c for c in frame if c.startswith("votes_")]]
    truth = frame[[c for c in frame if c.startswith("true_p_")]]
    with np.load(predictions_of_last_round(fake)) as content:
        ids, predicted = content["sample_id"], content["probabilities"][-1]
    of_votes = pd.Series(entropy(votes, axis=1).round(9), index=frame.index)  # ties are ties
    doubt = pd.Series(predicted[:, 0], index=ids)
    add_doubts(fake, aleatoric=of_votes[ids].to_numpy(np.float32), epistemic=doubt.to_numpy())
    metrics, test = run(fake), frame.index[frame["split"] == "test"]
    assert metrics["test_uncertainty_aleatoric_votes_spearman"] == pytest.approx(1.0)
    expected = spearmanr(doubt[test], entropy(truth.loc[test], axis=1)).statistic
    assert metrics["test_uncertainty_epistemic_truth_spearman"] == pytest.approx(expected)
    of_prediction = pd.Series(entropy(predicted, axis=1), index=ids)
    expected = spearmanr(of_prediction[test], of_votes[test]).statistic
    found = metrics["test_uncertainty_prediction_votes_spearman"]
    assert found == pytest.approx(expected, abs=1e-6)
    assert found == pytest.approx(metrics["test_votes_entropy_spearman"])
    assert metrics["uncertainty_aleatoric_votes_spearman"] is None  # no such evidence


def test_doubts_of_training_rows_are_read_from_the_last_partition(tmp_path):
    fake = make_fake_results(tmp_path, votes=True)
    arguments = fake.evaluate_arguments("smr")
    table = read_label_table(arguments["labels"])
    train = table.take(table.in_split("train"))
    ids = train.frame["sample_id"].to_numpy()
    path = arguments["denoise"] / "round_2" / "partition.parquet"
    held = entropy(train.matrix("votes_"), axis=1).astype(np.float32)
    evidence = {"aleatoric": -held, "epistemic": np.zeros(len(ids))}
    partition = replace(read_partition(path, table.classes), evidence=evidence)
    write_partition(partition, ids, table.classes, path)
    metrics = run(fake)
    assert metrics["uncertainty_aleatoric_votes_spearman"] == pytest.approx(-1.0)
    assert metrics["uncertainty_epistemic_votes_spearman"] is None  # constant
    write_partition(partition, ids[::-1], table.classes, path)
    with pytest.raises(FercleanError, match="other rows"):
        run(fake)


@pytest.mark.parametrize("broken", ["a row too many", "not a number", "text"])
def test_doubts_that_are_no_number_a_row_are_refused(fake, broken):
    with np.load(predictions_of_last_round(fake)) as content:
        rows = len(content["sample_id"])
    values = {
        "a row too many": np.zeros(rows + 1),
        "not a number": np.full(rows, np.nan),
        "text": np.full(rows, "much"),
    }
    add_doubts(fake, aleatoric=values[broken])
    with pytest.raises(FercleanError, match="uncertainty_aleatoric must be a number a row"):
        run(fake)


def test_a_run_without_rounds_is_the_warm_up_alone(tmp_path):
    metrics = run(make_fake_results(tmp_path, rounds=0))
    assert (metrics["rounds"], metrics["epochs"]) == (0, 2)
    assert metrics["label_accuracy_round_0"] == metrics["label_accuracy_final"]


def test_clean_labels_have_nothing_to_find(tmp_path):
    metrics = run(make_fake_results(tmp_path, rate=0.0))
    assert metrics["detection_auroc"] is None
    assert metrics["noise_rate_observed"] == 0.0


def edit_predictions(fake, change):
    path = fake.evaluate_arguments("smr")["denoise"] / "round_1" / "predictions.npz"
    with np.load(path) as content:
        values = dict(content)
    change(values)
    np.savez(path, **values)


def drop_row(values):
    values["probabilities"] = values["probabilities"][:, 1:]
    values["sample_id"] = values["sample_id"][1:]


def spoil(values):
    values["probabilities"][0, 0, 0] = np.nan


def shift_epoch(values):
    values["epoch"] = values["epoch"] + 1


def flatten(values):
    values["probabilities"] = values["probabilities"][:, :, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [(drop_row, "different rows"), (spoil, "diverged"), (shift_epoch, "same epochs"),
     (flatten, r"\(epochs, rows, classes\)"), (lambda v: v.pop("epoch"), "not a predictions file")],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(fake, change, message):
    edit_predictions(fake, change)
    with pytest.raises(FercleanError, match=message):
        run(fake)


def test_predictions_with_pickles_are_refused(fake):
    edit_predictions(fake, lambda v: v.update(sample_id=v["sample_id"].astype(object)))
    with pytest.raises(FercleanError, match="not a predictions file"):
        run(fake)


@pytest.mark.parametrize("name", ["predictions.npz", "history.csv", "labels.parquet"])
def test_a_missing_file_is_named(fake, name):
    (fake.evaluate_arguments("smr")["denoise"] / "round_1" / name).unlink()
    with pytest.raises(FercleanError, match=f"round_1/{name}"):
        run(fake)


def test_a_clean_probability_outside_its_range_is_refused(fake):
    path = fake.evaluate_arguments("smr")["denoise"] / "round_0" / "labels.parquet"
    table = read_label_table(path)
    write_label_table(table.with_columns(clean_probability=1.5), path)
    with pytest.raises(FercleanError, match="clean_probability"):
        run(fake)


def test_a_method_is_measured_by_what_no_person_decided(fake):
    path = fake.evaluate_arguments("smr")["labels"]
    plain, base = run(fake), read_label_table(path)
    before = read_label_table(fake.evaluate_arguments("smr")["output"] / "labels.parquet")
    assert not [name for name in plain if "review" in name]
    decided = np.zeros(len(base), dtype=bool)
    decided[np.flatnonzero(base.in_split("train"))[::3]] = True
    review = {
        "reviewed_decision": np.where(decided, "keep", None),
        "reviewed_label": base.frame["observed"].where(decided),
        "reviewed_by": np.where(decided, "Ann", None),
        "reviewed_at": np.where(decided, "2026-01-31T12:00:00Z", None),
        "before_review": base.frame["observed"].where(decided),
        "split_before_review": base.frame["split"].where(decided, None),
    }
    write_label_table(base.with_columns(**review), path)
    metrics = run(fake)
    assert metrics["reviewed_rows"] == decided.sum()
    assert metrics["train_rows"] == plain["train_rows"] - decided.sum() == metrics["detection_rows"]
    left = base.in_split("train") & ~decided
    right = before.codes("label") == before.codes("true")
    assert metrics["label_accuracy_final"] == pytest.approx(right[left].mean())
    table = read_label_table(fake.evaluate_arguments("smr")["output"] / "labels.parquet")
    assert (table.codes("label") == table.codes("observed"))[decided].all()
    assert table.frame[left]["label"].equals(before.frame[left]["label"])
    whole = (table.codes("label") == table.codes("true"))[base.in_split("train")].mean()
    assert metrics["label_accuracy_with_review"] == pytest.approx(whole)
    tests = [name for name in plain if name.startswith(("test_", "val_"))]
    assert {name: metrics[name] for name in tests} == {name: plain[name] for name in tests}
