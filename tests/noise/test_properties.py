"""Laws of noise injection that hold for every table, kind, rate and seed."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.config.load import build_settings
from ferclean.config.noise import NoiseSettings
from ferclean.noise.inject import NOISY_SPLITS, PROTOCOLS, inject_noise, map_targets
from ferclean.noise.protocols import pairflip_targets
from ferclean.steps.inject_noise import inject_noise as step
from ferclean.tables.labels import (
    SPLITS,
    labels_from_codes,
    make_table,
    read_label_table,
    write_label_table,
)
from fixtures.packs import write_faces

KINDS = [kind for kind in PROTOCOLS if kind not in ("none", "file")]
NAMES = ("a", "b", "c", "d", "e", "f")
RATES = st.sampled_from([0.0, 0.1, 0.25, 0.29, 0.5, 0.8, 1.0]) | st.floats(0, 1)


@st.composite
def tables(draw):
    """Codes with missing ones, splits in any order, and class names."""
    classes = NAMES[: draw(st.integers(2, len(NAMES)))]
    rows = draw(st.integers(0, 40))
    codes = st.lists(st.integers(-1, len(classes) - 1), min_size=rows, max_size=rows)
    splits = st.lists(st.sampled_from(SPLITS), min_size=rows, max_size=rows)
    return np.array(draw(codes), dtype=np.int64), np.array(draw(splits), dtype=object), classes


def draw(table, kind, rate, seed, **more):
    codes, splits, classes = table
    pictures = np.random.default_rng(0).integers(0, 256, (len(codes), 4, 4, 1), dtype=np.uint8)
    options = NoiseSettings(asymmetric_map={classes[0]: classes[1]})
    arguments = {"settings": options, "pictures": pictures, "classes": classes} | more
    return inject_noise(codes, splits, kind=kind, rate=rate, seed=seed, **arguments)


@given(tables(), st.sampled_from(KINDS), RATES, st.integers(0, 2**31))
def test_only_labels_of_noisy_splits_change_and_into_classes(table, kind, rate, seed):
    codes, splits, classes = table
    before = codes.copy()
    observed = draw(table, kind, rate, seed)
    np.testing.assert_array_equal(codes, before)
    assert observed.shape == codes.shape and observed.dtype == np.int64
    untouched = ~np.isin(splits, NOISY_SPLITS) | (codes < 0)
    np.testing.assert_array_equal(observed[untouched], codes[untouched])
    assert ((observed >= 0) == (codes >= 0)).all() and (observed < len(classes)).all()


@given(tables(), st.sampled_from(KINDS), RATES, st.integers(0, 2**31))
def test_a_seed_decides_and_each_split_draws_for_itself(table, kind, rate, seed):
    codes, splits, classes = table
    observed = draw(table, kind, rate, seed)
    np.testing.assert_array_equal(observed, draw(table, kind, rate, seed))
    if kind == "instance":  # standardises pictures by those of the training rows
        return
    for split in NOISY_SPLITS:
        rows = splits == split
        alone = draw((codes[rows], splits[rows], classes), kind, rate, seed)
        np.testing.assert_array_equal(observed[rows], alone)


@given(tables(), RATES, st.integers(0, 2**31))
def test_the_inclusive_kind_redraws_no_more_than_its_exact_number(table, rate, seed):
    codes, splits, _ = table
    observed = draw(table, "symmetric_inclusive", rate, seed)
    for split in NOISY_SPLITS:
        rows = (splits == split) & (codes >= 0)
        assert (observed != codes)[rows].sum() <= math.floor(rate * rows.sum() + 1e-9)


@given(tables(), st.sampled_from(KINDS), st.integers(0, 2**31))
def test_the_ends_of_the_rate_are_exact(table, kind, seed):
    codes, splits, classes = table
    np.testing.assert_array_equal(draw(table, kind, 0.0, seed), codes)
    noisy = np.isin(splits, NOISY_SPLITS) & (codes >= 0)
    changed = draw(table, kind, 1.0, seed) != codes
    if kind == "symmetric":
        np.testing.assert_array_equal(changed, noisy)
    targets = {
        "pairflip": pairflip_targets(len(classes)),
        "asymmetric": map_targets({classes[0]: classes[1]}, classes),
    }
    if kind in targets:
        observed = draw(table, kind, 1.0, seed)
        np.testing.assert_array_equal(observed[noisy], targets[kind][codes[noisy]])


@given(tables(), st.integers(0, 2**31))
def test_a_file_replaces_what_it_covers_and_nothing_else(table, seed):
    codes, splits, classes = table
    said = np.random.default_rng(seed).integers(-1, len(classes), len(codes))
    observed = draw(table, "file", 0.0, 0, file_codes=said)
    covered = np.isin(splits, NOISY_SPLITS) & (codes >= 0) & (said >= 0)
    np.testing.assert_array_equal(observed, np.where(covered, said, codes))


@settings(max_examples=15)
@given(tables(), st.sampled_from(KINDS), RATES, st.integers(0, 2**31))
def test_the_step_keeps_rows_order_and_given_labels(tmp_path_factory, table, kind, rate, seed):
    codes, splits, classes = table
    folder = tmp_path_factory.mktemp("noise")
    ids = [f"s{number:03d}" for number in range(len(codes))]
    columns = {"sample_id": pd.Series(ids, dtype=object), "path": pd.Series(ids, dtype=object)}
    frame = pd.DataFrame(columns | {"split": splits, "face_row": np.arange(len(codes))})
    frame = frame.assign(given=labels_from_codes(codes, classes))
    write_label_table(make_table(frame, classes, "d"), folder / "samples.parquet")
    write_faces(folder / "faces.pack", np.zeros((len(codes), 4, 4, 1), np.uint8))
    options = {"asymmetric_map": {classes[0]: classes[1]}}
    step(
        samples=folder / "samples.parquet",
        faces=folder / "faces.pack",
        output=folder / "out",
        kind=kind,
        rate=rate,
        seed=seed,
        settings=build_settings({"noise": options, "review": {}}, ["noise", "review"]),
    )
    labels = read_label_table(folder / "out" / "labels.parquet")
    assert labels.frame["sample_id"].tolist() == ids
    np.testing.assert_array_equal(labels.codes("given"), codes)
    np.testing.assert_array_equal(labels.codes("true"), codes)
    changed = labels.codes("observed") != codes
    assert not changed[splits == "test"].any()
    said = json.loads((folder / "out" / "noise.json").read_text())["splits"]
    for split in SPLITS:
        assert said[split]["changed"] == int(changed[splits == split].sum())
    clean = read_label_table(folder / "out" / "oracle_clean.parquet").frame["sample_id"]
    wrong = (splits == "train") & (changed | (codes < 0))
    assert not set(clean) & set(np.array(ids, dtype=object)[wrong])
