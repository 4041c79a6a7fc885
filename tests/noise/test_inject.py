"""What the draw of a whole table depends on, and what it must not."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.data import CANONICAL_CLASSES
from ferclean.config.fields import build
from ferclean.config.grid import GridSettings, NoiseKind
from ferclean.config.noise import ASYMMETRIC_MAPS, NoiseSettings
from ferclean.errors import FercleanError
from ferclean.noise.inject import PROTOCOLS, inject_noise, map_targets
from ferclean.noise.streams import noise_seed

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
RANDOM_KINDS = [kind for kind in PROTOCOLS if kind not in ("none", "file")]


def _inject(codes, splits, **changes):
    arguments = {
        "kind": "symmetric",
        "rate": 0.4,
        "seed": 0,
        "classes": CANONICAL_CLASSES,
        "settings": NoiseSettings(),
        "pictures": _pictures(len(codes)),
    }
    return inject_noise(codes, splits, **(arguments | changes))


def _pictures(count):
    return np.random.default_rng(5).integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)


def _table(count=600, seed=0):
    rng = np.random.default_rng(seed)
    splits = rng.choice(["train", "val", "test"], count, p=[0.7, 0.15, 0.15])
    return rng.integers(0, 7, count), splits


def test_every_kind_of_the_grid_has_a_protocol():
    assert set(get_args(NoiseKind)) == set(PROTOCOLS)
    for kind in PROTOCOLS:
        assert build(GridSettings, {"noise": kind}, "grid").noise == (kind,)
    with pytest.raises(FercleanError, match=r"grid\.noise"):
        build(GridSettings, {"noise": "typo"}, "grid")


@pytest.mark.parametrize("kind", RANDOM_KINDS)
def test_train_and_validation_rows_change_and_test_rows_never(kind):
    codes, splits = _table()
    observed = _inject(codes, splits, kind=kind)
    changed = observed != codes
    assert changed[splits == "train"].any()
    assert changed[splits == "val"].any()
    assert not changed[splits == "test"].any()


@pytest.mark.parametrize("kind", RANDOM_KINDS)
def test_training_draw_does_not_depend_on_other_splits(kind):
    codes, splits = _table()
    pictures = _pictures(len(codes))
    training = splits == "train"
    whole = _inject(codes, splits, kind=kind, pictures=pictures)
    alone = _inject(codes[training], splits[training], kind=kind, pictures=pictures[training])
    np.testing.assert_array_equal(whole[training], alone)


@pytest.mark.parametrize("kind", RANDOM_KINDS)
def test_same_arguments_same_draw_and_any_other_seed_or_rate_another(kind):
    codes, splits = _table()
    first = _inject(codes, splits, kind=kind)
    np.testing.assert_array_equal(first, _inject(codes, splits, kind=kind))
    # Pitfall ii: a noise file cached under rate and mode would silently ignore the seed.
    assert (first != _inject(codes, splits, kind=kind, seed=1)).any()
    assert (first != _inject(codes, splits, kind=kind, rate=0.41)).any()


def test_streams_differ_between_protocols_splits_rates_and_seeds():
    base = {"seed": 0, "kind": "symmetric", "rate": 0.3, "stream": "train"}
    changes = [{}, {"seed": 1}, {"kind": "pairflip"}, {"rate": 0.4}, {"stream": "val"}]
    states = {tuple(noise_seed(**(base | change)).generate_state(4)) for change in changes}
    assert len(states) == len(changes)
    whole, fraction = (noise_seed(**(base | {"rate": rate})) for rate in (1, 1.0))
    assert whole.generate_state(4).tolist() == fraction.generate_state(4).tolist()


def test_draw_is_the_recorded_one():
    """The noise of a published run must not change with a release."""
    codes = np.zeros(12, dtype=np.int64)
    observed = _inject(codes, np.array(["train"] * 12), rate=0.5)
    assert observed.tolist() == [0, 0, 5, 5, 0, 5, 5, 2, 0, 3, 0, 3]


@given(st.integers(0, 2**31), st.sampled_from(RANDOM_KINDS), st.floats(0, 1))
def test_missing_labels_stay_missing(seed, kind, rate):
    codes, splits = _table(60, seed)
    codes[::4] = -1
    observed = _inject(codes, splits, kind=kind, seed=seed, rate=rate)
    np.testing.assert_array_equal(observed == -1, codes == -1)


def test_instance_noise_follows_face_rows():
    codes, splits = _table()
    pictures = _pictures(len(codes))
    order = np.random.default_rng(3).permutation(len(codes))
    shuffled = np.empty_like(pictures)
    shuffled[order] = pictures
    plain = _inject(codes, splits, kind="instance", pictures=pictures)
    moved = _inject(codes, splits, kind="instance", pictures=shuffled, face_rows=order)
    np.testing.assert_array_equal(plain, moved)


def test_tables_without_training_or_without_rows():
    codes = np.arange(7)
    only_test = _inject(codes, np.array(["test"] * 7), rate=1.0)
    np.testing.assert_array_equal(only_test, codes)
    validation = _inject(codes, np.array(["val"] * 7), kind="instance", rate=0.9)
    assert ((validation >= 0) & (validation < 7)).all()
    assert len(_inject(codes[:0], np.array([], dtype=object))) == 0


def test_rate_zero_changes_nothing_and_none_ignores_the_rate():
    codes, splits = _table()
    for kind in RANDOM_KINDS:
        np.testing.assert_array_equal(_inject(codes, splits, kind=kind, rate=0.0), codes)
    np.testing.assert_array_equal(_inject(codes, splits, kind="none", rate=1.0), codes)


def test_file_labels_replace_covered_rows_only():
    codes = np.array([0, 1, 2, -1, 4])
    splits = np.array(["train", "train", "val", "train", "test"])
    file_codes = np.array([3, 1, -1, 5, 6])
    observed = _inject(codes, splits, kind="file", file_codes=file_codes)
    assert observed.tolist() == [3, 1, 2, -1, 4]


def test_fer_map_is_the_published_one():
    targets = map_targets(ASYMMETRIC_MAPS["fer"], CANONICAL_CLASSES)
    sent = {CANONICAL_CLASSES[k]: CANONICAL_CLASSES[target] for k, target in enumerate(targets)}
    assert sent == {
        "angry": "disgusted",
        "disgusted": "angry",
        "fear": "surprised",
        "happy": "neutral",
        "sad": "neutral",
        "surprised": "angry",
        "neutral": "sad",
    }


def test_cifar10_map_in_published_numbers():
    targets = map_targets(ASYMMETRIC_MAPS["cifar10"], CIFAR10)
    assert targets.tolist() == [0, 1, 0, 5, 7, 3, 6, 7, 8, 1]


def test_a_map_of_other_classes_is_an_error_that_names_the_class():
    """Pitfall iii: the published asym noise on CIFAR-100 ends with a KeyError."""
    codes, splits = _table()
    with pytest.raises(FercleanError, match="'truck' is none of the classes"):
        _inject(codes, splits, kind="asymmetric", settings=NoiseSettings(asymmetric_map="cifar10"))


def test_own_map_and_unmapped_classes():
    settings = build(NoiseSettings, {"asymmetric_map": {"fear": "happy"}}, "noise")
    codes = np.tile(np.arange(7), 10)
    observed = _inject(
        codes, np.array(["train"] * 70), kind="asymmetric", rate=1.0, settings=settings
    )
    expected = np.where(codes == 1, 3, codes)
    np.testing.assert_array_equal(observed, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "symetric"}, "did you mean 'symmetric'"),
        ({"rate": 1.2}, "between 0 and 1, found 1.2"),
        ({"rate": float("nan")}, "between 0 and 1"),
        ({"seed": -1}, "at least 0, found -1"),
        ({"classes": ("happy",)}, "at least two classes, found 1"),
    ],
)
def test_wrong_requests_are_one_sentence(changes, message):
    with pytest.raises(FercleanError, match=message):
        _inject(np.zeros(3, dtype=np.int64), np.array(["train"] * 3), **changes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"asymmetric_map": "ferr"}, "did you mean 'fer'"),
        ({"asymmetric_map": {}}, "at least one class pair"),
        ({"asymmetric_map": {"happy": 3}}, "noise.asymmetric_map.happy must be a text"),
        ({"instance_spread": 0}, "above 0"),
    ],
)
def test_wrong_settings_name_the_key(values, message):
    with pytest.raises(FercleanError, match=message):
        build(NoiseSettings, values, "noise")
