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
    two_label_agreement,
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


def test_the_floored_estimate_is_normalised_again():
    found = divergences([[1.0, 0.0]], [[1.0, 0.0]])
    assert found["kl"] == pytest.approx(math.log(1 + KL_FLOOR), rel=1e-6)


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


def test_a_row_without_votes_leaves_the_other_rows_their_labels():
    votes = np.array([[np.nan, np.nan], [0.9, 0.1], [0.3, 0.7]])
    assert agreement(votes, np.full((3, 2), 0.5), [1, 0, 1])["share"] == pytest.approx(0.8)


def test_the_same_shares_in_another_order_of_classes_have_the_same_entropy():
    shares = np.random.default_rng(0).dirichlet(np.ones(7), size=20)
    np.testing.assert_array_equal(entropy(shares), entropy(shares[:, ::-1]))


def test_entropy_in_nats():
    assert entropy([[0.5, 0.5], [1.0, 0.0]]).tolist() == pytest.approx([math.log(2), 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: divergences(np.ones((2, 2)), np.ones((3, 2))), r"expected two \(N, K\) arrays"),
        (lambda: agreement(np.ones((2, 2)), np.ones((2, 2)), [0]), r"labels must be \(2,\)"),
    ],
)
def test_shapes_must_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_distributions_that_differ_by_rounding_have_no_divergence():
    exact = np.random.default_rng(0).dirichlet(np.ones(7), size=2000)
    found = divergences(exact, exact.astype(np.float32).astype(np.float64))
    assert 0 <= found["js"] < 1e-9


def naive_two_label_agreement(reference, estimate):
    hits = []
    for truth, guess in zip(reference, estimate, strict=True):
        named = {k for k, share in enumerate(truth) if share > 1e-6}
        if len(named) == 2:
            order = sorted(range(len(guess)), key=lambda k: -guess[k])
            two = len(guess) == 2 or guess[order[1]] > guess[order[2]]
            hits.append(two and set(order[:2]) == named)
    return {"rows": len(hits), "share": sum(hits) / len(hits) if hits else None}


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(0, 30))
def test_two_label_agreement_equals_the_naive_count(seed, classes, rows):
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(classes), rows) * (rng.random((rows, classes)) < 0.6)
    truth = normalise_votes(truth)
    estimate = np.round(rng.dirichlet(np.ones(classes), rows), 1)  # with ties
    known = np.isfinite(truth).all(axis=1)
    naive = naive_two_label_agreement(truth[known], estimate[known])
    assert two_label_agreement(truth, estimate) == pytest.approx(naive)


def test_a_hard_label_names_no_two_classes():
    truth = np.array([[0.6, 0.4, 0.0], [1.0, 0.0, 0.0]])
    assert two_label_agreement(truth, np.eye(3)[[0, 0]]) == {"rows": 1, "share": 0.0}
    soft = [[0.4, 0.5, 0.1], [1.0, 0.0, 0.0]]
    assert two_label_agreement(truth, soft) == {"rows": 1, "share": 1.0}
    assert two_label_agreement(truth[1:], soft[1:]) == {"rows": 0, "share": None}
