import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.evaluate.distributions import (
    KL_FLOOR,
    agreement,
    divergences,
    entropy,
    normalise_votes,
)


def naive_kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def naive_js(p, q):
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (naive_kl(p, middle) + naive_kl(q, middle)) / 2


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_divergences_equal_the_naive_sums(seed, rows):
    rng = np.random.default_rng(seed)
    truth, estimate = rng.dirichlet(np.ones(4), rows), rng.dirichlet(np.ones(4), rows)
    estimate = np.maximum(estimate, 1e-4)
    estimate /= estimate.sum(axis=1, keepdims=True)
    found = divergences(truth, estimate)
    pairs = list(zip(truth, estimate, strict=True))
    assert found["kl"] == pytest.approx(np.mean([naive_kl(p, q) for p, q in pairs]), abs=1e-9)
    assert found["js"] == pytest.approx(np.mean([naive_js(p, q) for p, q in pairs]), abs=1e-9)
    assert 0 <= found["js"] <= math.log(2) + 1e-12


def test_hard_wrong_labels_stay_finite():
    found = divergences([[1.0, 0.0]], [[0.0, 1.0]])
    assert found["kl"] == pytest.approx(-math.log(KL_FLOOR), rel=1e-5)
    assert found["js"] == pytest.approx(math.log(2))


def test_equal_distributions_do_not_diverge():
    found = divergences([[0.2, 0.8], [1, 0]], [[0.2, 0.8], [1, 0]])
    assert found["kl"] == pytest.approx(0, abs=2e-6)
    assert found["js"] == pytest.approx(0, abs=1e-12)


def test_unknown_rows_are_left_out():
    known, gap = [0.5, 0.5], [np.nan, np.nan]
    assert divergences([known, gap], [known, known])["rows"] == 1
    assert divergences([gap], [known]) == {"rows": 0, "kl": None, "js": None}
    assert agreement([gap], [known], [0])["share"] is None


def test_votes_become_shares_and_rows_without_votes_are_missing():
    shares = normalise_votes([[3, 1], [0, 0], [np.nan, 1]])
    assert shares[0].tolist() == [0.75, 0.25]
    assert np.isnan(shares[1:]).all()


def test_agreement_is_the_mean_share_and_the_rank_correlation():
    votes = np.array([[1.0, 0.0], [0.5, 0.5], [0.8, 0.2]])
    same_order = np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]])
    found = agreement(votes, same_order, [0, 1, 1])
    assert found["share"] == pytest.approx((1.0 + 0.5 + 0.2) / 3)
    assert found["entropy_spearman"] == pytest.approx(1.0)
    assert agreement(votes, np.full((3, 2), 0.5), [0, 0, 0])["entropy_spearman"] is None


def test_entropy_in_nats():
    assert entropy([[0.5, 0.5], [1.0, 0.0]]).tolist() == pytest.approx([math.log(2), 0.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: divergences(np.ones((2, 2)), np.ones((3, 2))),
        lambda: agreement(np.ones((2, 2)), np.ones((2, 2)), [0]),
    ],
)
def test_shapes_must_fit(call):
    with pytest.raises(ValueError):
        call()


def test_distributions_that_differ_by_rounding_have_no_divergence():
    exact = np.random.default_rng(0).dirichlet(np.ones(7), size=2000)
    found = divergences(exact, exact.astype(np.float32).astype(np.float64))
    assert 0 <= found["js"] < 1e-9
