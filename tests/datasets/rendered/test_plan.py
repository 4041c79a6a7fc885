from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.config.data import CANONICAL_CLASSES, RenderedSettings
from ferclean.datasets.rendered.plan import (
    IDENTITY_RANGES,
    PICTURE_RANGES,
    identity_latents,
    plan_faces,
)
from ferclean.errors import FercleanError
from ferclean.tables.labels import make_table

DEFAULT = plan_faces(RenderedSettings(), CANONICAL_CLASSES)
P_COLUMNS = [f"p_{name}" for name in CANONICAL_CLASSES]


def test_default_split_sizes():
    assert DEFAULT["split"].value_counts().to_dict() == {"train": 1632, "test": 480, "val": 288}


def test_no_identity_stands_in_two_splits():
    assert DEFAULT.groupby("identity")["split"].nunique().max() == 1
    assert DEFAULT["identity"].nunique() == 300


def test_an_identity_keeps_its_latent_numbers():
    latents = DEFAULT[["identity", *IDENTITY_RANGES]]
    assert len(latents.drop_duplicates()) == DEFAULT["identity"].nunique()
    row = DEFAULT.iloc[17]
    assert identity_latents(0, row["identity"]) == row[list(IDENTITY_RANGES)].to_dict()


def test_true_is_the_largest_share_of_the_distribution():
    shares = DEFAULT[P_COLUMNS].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
    dominant = np.array(CANONICAL_CLASSES)[shares.argmax(axis=1)]
    assert (dominant == DEFAULT["true"]).all()


def test_compounds_are_the_asked_share_and_honest():
    largest = DEFAULT[P_COLUMNS].max(axis=1)
    compounds = DEFAULT[largest < 1]
    assert len(compounds) == round(0.15 * 2400)
    assert largest[largest < 1].between(0.55, 0.85).all()
    assert largest[largest < 1].min() < 0.57
    assert ((compounds[P_COLUMNS] > 0).sum(axis=1) == 2).all()
    assert (compounds["p_neutral"] == 0).all()


def test_classes_are_balanced_inside_every_split():
    pure = DEFAULT[DEFAULT[P_COLUMNS].max(axis=1) == 1]
    for frame in (pure[pure["split"] == split] for split in ("train", "val", "test")):
        counts = frame["true"].value_counts()
        assert len(counts) == 7
        assert counts.max() - counts.min() <= 1


def test_latent_numbers_stay_in_their_ranges():
    for name, (low, high) in {**IDENTITY_RANGES, **PICTURE_RANGES}.items():
        assert DEFAULT[name].between(low, high).all(), name
        assert DEFAULT[name].max() - DEFAULT[name].min() > 0.9 * (high - low), name


def test_same_seed_same_plan_other_seed_other_plan():
    small = RenderedSettings(pictures=60)
    first = plan_faces(small, CANONICAL_CLASSES)
    pd.testing.assert_frame_equal(first, plan_faces(small, CANONICAL_CLASSES))
    other = plan_faces(dataclasses.replace(small, seed=1), CANONICAL_CLASSES)
    for column in ("true", "split", "roll", "jaw_width", "texture_seed"):
        assert not first[column].equals(other[column]), column


def test_the_pictures_size_changes_nothing_in_the_plan():
    small = RenderedSettings(pictures=40)
    larger = dataclasses.replace(small, image_size=224)
    pd.testing.assert_frame_equal(
        plan_faces(small, CANONICAL_CLASSES), plan_faces(larger, CANONICAL_CLASSES)
    )


@settings(max_examples=25, deadline=None)
@given(
    pictures=st.integers(40, 260),
    fraction=st.floats(0, 1),
    classes=st.permutations(CANONICAL_CLASSES).flatmap(
        lambda order: st.integers(3, 7).map(lambda count: tuple(order[:count]))
    ),
    seed=st.integers(0, 2**40),
)
def test_any_plan_is_a_valid_label_table(pictures, fraction, classes, seed):
    asked = RenderedSettings(pictures=pictures, compound_fraction=fraction, seed=seed)
    plan = plan_faces(asked, classes)
    assert len(plan) == pictures
    assert set(plan["split"]) == {"train", "val", "test"}
    assert plan.groupby("identity")["split"].nunique().max() == 1
    assert list(plan["sample_id"]) == sorted(set(plan["sample_id"]))
    shares = plan[[f"p_{name}" for name in classes]]
    assert (shares.max(axis=1) < 1).sum() == round(fraction * pictures)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    make_table(plan.assign(given=plan["true"]), classes, "rendered")


def test_compounds_need_two_expressions():
    with pytest.raises(FercleanError, match=r"data\.rendered\.compound_fraction must be 0"):
        plan_faces(RenderedSettings(pictures=40), ("neutral", "happy"))
    plan = plan_faces(RenderedSettings(pictures=40, compound_fraction=0.0), ("neutral", "happy"))
    assert set(plan["true"]) == {"neutral", "happy"}


def test_unknown_expression_is_named():
    with pytest.raises(FercleanError, match=r"data\.classes.*'bored'"):
        plan_faces(RenderedSettings(pictures=40), ("happy", "bored", "sad"))
