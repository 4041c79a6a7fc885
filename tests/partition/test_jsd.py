import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from ferclean.partition.jsd import LARGEST, divergence_from_label


def random_probabilities(rows, classes, seed):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.full(classes, 0.4), size=rows), random.integers(classes, size=rows)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 20),
    classes=st.integers(2, 9),
    seed=st.integers(0, 1000),
    unit=st.sampled_from(["nats", "bits"]),
)
def test_equals_scipy_and_stays_in_its_range(rows, classes, seed, unit):
    probabilities, observed = random_probabilities(rows, classes, seed)
    base = {"nats": math.e, "bits": 2}[unit]
    expected = [
        jensenshannon(p, np.eye(classes)[y], base=base) ** 2
        for p, y in zip(probabilities, observed, strict=True)
    ]
    found = divergence_from_label(probabilities, observed, unit=unit)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert (found >= 0).all() and (found <= LARGEST[unit] + 1e-12).all()


def test_ends_and_order():
    share = np.linspace(0, 1, 101)
    probabilities = np.stack([share, 1 - share], axis=1)
    found = divergence_from_label(probabilities, np.zeros(101, dtype=int))
    assert found[0] == pytest.approx(math.log(2)) and found[-1] == pytest.approx(0, abs=1e-15)
    assert (np.diff(found) < 0).all()


def test_float32_rounding_above_one_is_no_error():
    assert divergence_from_label(np.float32([[1.0000001, 0.0]]), np.array([0])) >= 0


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.5, np.inf])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(ValueError, match="lie in"):
        divergence_from_label(np.array([[value, 0.0]]), np.array([0]))


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="nats, bits"):
        divergence_from_label(np.array([[1.0, 0.0]]), np.array([0]), unit="dits")
