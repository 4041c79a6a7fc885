"""The step on small tables: what it writes, keeps and refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.steps.inject_noise import inject_noise
from ferclean.tables.atomic import read_json
from ferclean.tables.labels import (
    TRAINING_COLUMNS,
    labels_from_codes,
    make_table,
    read_label_table,
    read_training_table,
    write_label_table,
)
from fixtures.packs import write_faces

CLASSES = ("happy", "sad", "angry")


@pytest.fixture
def prepared(tmp_path):
    """Write align's two files; 200 rows, some given labels missing, faces in another order."""

    def write(*, truth=None, **columns):
        rng = np.random.default_rng(0)
        count = 200
        codes = rng.integers(0, 3, count)
        codes[:4] = -1
        votes = {f"votes_{name}": rng.integers(0, 9, count) for name in CLASSES}
        frame = pd.DataFrame(
            {
                "sample_id": [f"s{i:04d}" for i in range(count)],
                "path": "pictures.arrow",
                "split": rng.choice(["train", "val", "test"], count, p=[0.6, 0.2, 0.2]),
                "given": labels_from_codes(codes, CLASSES),
                "face_row": rng.permutation(count),
                "width": 48,
                **votes,
            }
        )
        if truth is not None:
            frame["true"] = labels_from_codes(truth(codes), CLASSES)
        table = make_table(frame.assign(**columns), CLASSES, "toy")
        write_label_table(table, tmp_path / "samples.parquet")
        faces = rng.integers(0, 256, (count, 6, 6, 1), dtype=np.uint8)
        write_faces(tmp_path / "faces.pack", faces)
        return table

    return write


def _run(folder, *, kind="symmetric", rate=0.4, seed=0, output="out", review=None, **noise):
    inject_noise(
        samples=folder / "samples.parquet",
        faces=folder / "faces.pack",
        output=folder / output,
        kind=kind,
        rate=rate,
        seed=seed,
        settings=build_settings({"noise": noise, "review": review or {}}, ["noise", "review"]),
    )
    out = folder / output
    return read_label_table(out / "labels.parquet"), read_json(out / "noise.json")


KINDS = ["none", "symmetric", "symmetric_inclusive", "asymmetric", "pairflip", "instance"]


@pytest.mark.parametrize("kind", KINDS)
def test_tables_and_summary_agree(prepared, tmp_path, kind):
    samples = prepared()
    labels, noise = _run(tmp_path, kind=kind, asymmetric_map={"happy": "sad"})
    given, observed = labels.codes("given"), labels.codes("observed")
    np.testing.assert_array_equal(given, samples.codes("given"))
    np.testing.assert_array_equal(observed < 0, given < 0)
    test = labels.in_split("test")
    np.testing.assert_array_equal(observed[test], given[test])
    training = labels.in_split("train") & (given >= 0)
    changed = (given != observed)[training]
    assert changed.any() == (kind != "none")
    assert noise["given_to_observed"]["rate"] == pytest.approx(changed.mean())
    assert noise["given_to_observed"]["compared"] == training.sum()
    assert noise["splits"]["test"]["changed"] == 0
    assert noise["splits"]["val"]["changed"] == (given != observed)[labels.in_split("val")].sum()
    assert (noise["kind"], noise["rate"], noise["seed"]) == (kind, 0.4, 0)
    assert noise["classes"] == list(CLASSES)


def test_columns_that_matter_are_kept(prepared, tmp_path):
    samples = prepared()
    labels, _ = _run(tmp_path)
    votes = [f"votes_{name}" for name in CLASSES]
    leading = ["sample_id", "path", "split", "given", "observed", "face_row", "true"]
    assert list(labels.frame.columns) == leading + votes
    pd.testing.assert_frame_equal(labels.frame[votes], samples.frame[votes])
    training = read_training_table(tmp_path / "out" / "labels.parquet")
    assert set(training.frame.columns) == set(TRAINING_COLUMNS)


def test_given_becomes_the_truth_when_noise_is_injected(prepared, tmp_path):
    prepared()
    labels, noise = _run(tmp_path)
    np.testing.assert_array_equal(labels.codes("true"), labels.codes("given"))
    assert noise["truth_known"] is True
    assert noise["true_to_observed"] == noise["given_to_observed"]


def test_known_truth_is_kept_and_gaps_are_filled(prepared, tmp_path):
    def truth(codes):
        return np.where(np.arange(len(codes)) < 100, (codes + 1) % 3, -1)

    samples = prepared(truth=truth)
    labels, noise = _run(tmp_path)
    true = labels.codes("true")
    np.testing.assert_array_equal(true[:100], samples.codes("true")[:100])
    np.testing.assert_array_equal(true[100:], labels.codes("given")[100:])
    assert noise["true_to_observed"]["rate"] > noise["given_to_observed"]["rate"]


def test_without_injection_unknown_truth_stays_unknown(prepared, tmp_path):
    prepared()
    labels, noise = _run(tmp_path, kind="none")
    assert (labels.codes("true") == -1).all()
    assert noise["truth_known"] is False
    oracle = read_label_table(tmp_path / "out" / "oracle_clean.parquet")
    assert not oracle.in_split("train").any()
    assert len(oracle) == (~labels.in_split("train")).sum()


@pytest.mark.parametrize("kind", ["none", "symmetric"])
def test_oracle_holds_exactly_the_truly_clean_training_rows(prepared, tmp_path, kind):
    prepared(truth=lambda codes: np.where(np.arange(len(codes)) % 5 == 0, 0, codes))
    labels, _ = _run(tmp_path, kind=kind)
    oracle = read_label_table(tmp_path / "out" / "oracle_clean.parquet")
    true, observed = labels.codes("true"), labels.codes("observed")
    expected = [
        name
        for name, split, a, b in zip(
            labels.frame["sample_id"], labels.frame["split"], true, observed, strict=True
        )
        if split != "train" or (a >= 0 and a == b)
    ]
    assert oracle.frame["sample_id"].tolist() == expected
    merged = oracle.frame.merge(labels.frame, on="sample_id", suffixes=("", "_all"))
    assert (merged["face_row"] == merged["face_row_all"]).all()
    assert 0 < oracle.in_split("train").sum() < labels.in_split("train").sum()


@pytest.mark.parametrize("kind", ["symmetric", "instance"])
def test_same_bytes_each_time_and_another_seed_another_draw(prepared, tmp_path, kind):
    prepared()
    _run(tmp_path, kind=kind, output="one")
    _run(tmp_path, kind=kind, output="two")
    for name in ("labels.parquet", "oracle_clean.parquet", "noise.json"):
        first, second = ((tmp_path / run / name).read_bytes() for run in ("one", "two"))
        assert first == second
    # Pitfall ii again: nothing is cached under rate and mode.
    one, _ = _run(tmp_path, kind=kind, output="one")
    other, _ = _run(tmp_path, kind=kind, output="one", seed=1)
    assert (one.codes("observed") != other.codes("observed")).any()


def test_evaluation_columns_do_not_influence_the_draw(prepared, tmp_path):
    prepared(truth=lambda codes: np.zeros_like(codes))
    with_truth, _ = _run(tmp_path)
    table = read_label_table(tmp_path / "samples.parquet")
    names = [n for n in table.frame if n != "true" and not n.startswith("votes_")]
    bare = make_table(table.frame[names], CLASSES, "toy")
    write_label_table(bare, tmp_path / "samples.parquet")
    without, _ = _run(tmp_path)
    np.testing.assert_array_equal(with_truth.codes("observed"), without.codes("observed"))


def test_noise_from_a_file(prepared, tmp_path):
    samples = prepared()
    flipped = labels_from_codes((samples.codes("given") + 1) % 3, CLASSES)
    noise_file = tmp_path / "noise.csv"
    pd.DataFrame({"sample_id": samples.frame["sample_id"], "label": flipped}).to_csv(
        noise_file, index=False
    )
    labels, noise = _run(tmp_path, kind="file", file=str(noise_file))
    given, observed = labels.codes("given"), labels.codes("observed")
    noisy = ~labels.in_split("test") & (given >= 0)
    np.testing.assert_array_equal(observed[noisy], (given[noisy] + 1) % 3)
    np.testing.assert_array_equal(observed[~noisy], given[~noisy])
    assert noise["ignored_test_changes"] == labels.in_split("test").sum()
    assert noise["given_to_observed"]["rate"] == 1.0
    np.testing.assert_array_equal(labels.codes("true"), given)


def test_faces_are_read_for_instance_noise_only(prepared, tmp_path):
    prepared()
    (tmp_path / "faces.pack").unlink()
    _run(tmp_path)
    with pytest.raises(FercleanError, match=r"face pack not found: .*faces\.pack"):
        _run(tmp_path, kind="instance")


def test_errors_are_one_sentence(prepared, tmp_path):
    table = prepared()
    with pytest.raises(FercleanError, match=r"noise\.file is needed"):
        _run(tmp_path, kind="file")
    write_faces(tmp_path / "faces.pack", np.zeros((5, 6, 6, 1), dtype=np.uint8))
    with pytest.raises(FercleanError, match="holds 5 faces but the table names face_row 199"):
        _run(tmp_path, kind="instance")
    bare = make_table(table.frame.drop(columns="face_row"), CLASSES, "toy")
    write_label_table(bare, tmp_path / "samples.parquet")
    with pytest.raises(FercleanError, match="column 'face_row' is missing"):
        _run(tmp_path)
    with pytest.raises(FercleanError, match="label table not found"):
        _run(tmp_path / "nowhere")


def _review(folder, samples, decisions):
    ids = samples.frame["sample_id"]
    given = samples.frame["given"]
    rows = [
        f"{ids[row]},{given[row]},{decision},{label},Ann,2026-01-31T12:00:00Z\n"
        for row, decision, label in decisions
    ]
    path = folder / "review.csv"
    path.write_text("sample_id,given,decision,label,reviewer,time\n" + "".join(rows))
    return {"path": str(path)}


def test_people_win_over_the_draw_and_training_sees_it(prepared, tmp_path):
    samples = prepared()
    train = np.flatnonzero(samples.in_split("train") & (samples.codes("given") >= 0))[:3]
    other = CLASSES[(samples.codes("given")[train[0]] + 1) % 3]
    decisions = [(train[0], "relabel", other), (train[1], "not_a_face", "")]
    decisions.append((train[2], "ambiguous", ""))
    review = _review(tmp_path, samples, decisions)
    for kind in ("none", "symmetric"):
        plain, plain_noise = _run(tmp_path, kind=kind, output="plain")
        labels, noise = _run(tmp_path, kind=kind, review=review)
        ids = samples.frame["sample_id"].to_numpy()[train]
        seen = read_training_table(tmp_path / "out" / "labels.parquet").frame.set_index("sample_id")
        assert seen.loc[ids[0], "observed"] == other
        assert seen.loc[ids].split.tolist() == ["train", "excluded", "train"]
        assert "reviewed_label" not in seen
        untouched = ~labels.frame["sample_id"].isin(ids)
        columns = list(plain.frame)
        assert labels.frame.loc[untouched, columns].equals(plain.frame.loc[untouched, columns])
        assert labels.frame["given"].equals(plain.frame["given"])
        assert noise.pop("review")["decided"] == 3
        assert noise == plain_noise  # what was drawn is told as it was drawn
        assert noise["kind"] == kind


def test_a_right_decision_brings_a_row_to_the_oracle(prepared, tmp_path):
    samples = prepared(truth=lambda codes: np.where(codes >= 0, 2, -1))
    row = np.flatnonzero(samples.in_split("train") & (samples.codes("given") == 0))[0]
    review = _review(tmp_path, samples, [(row, "relabel", "angry")])
    labels, _ = _run(tmp_path, kind="none", review=review)
    assert labels.codes("true")[row] == 2
    oracle = read_label_table(tmp_path / "out" / "oracle_clean.parquet")
    assert samples.frame["sample_id"][row] in set(oracle.frame["sample_id"])


def test_stale_unknown_and_test_decisions_are_told(prepared, tmp_path, capsys):
    samples = prepared()
    test = np.flatnonzero(samples.in_split("test") & (samples.codes("given") >= 0))[0]
    train = np.flatnonzero(samples.in_split("train") & (samples.codes("given") >= 0))[0]
    review = _review(tmp_path, samples, [(test, "ambiguous", "")])
    with (tmp_path / "review.csv").open("a") as file:
        file.write("stranger,sad,keep,sad,Ann,2026-01-31T12:00:00Z\n")
        old = CLASSES[(samples.codes("given")[train] + 1) % 3]
        file.write(
            f"{samples.frame['sample_id'][train]},{old},keep,{old},Bo,2026-01-31T12:00:00Z\n"
        )
    _run(tmp_path, kind="none", review=review)
    told = capsys.readouterr().err
    assert "1 rows decided by people (0 keep, 0 relabel, 1 ambiguous, 0 not a face)" in told
    assert "1 of them are test rows, which stay as they are" in told
    assert "1 decisions are about another given label than the row has now" in told
    assert "1 decisions name no sample" in told
