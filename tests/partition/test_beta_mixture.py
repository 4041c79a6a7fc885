import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import beta as beta_distribution
from sklearn.metrics import roc_auc_score

from ferclean.partition.beta_mixture import (
    clean_posterior,
    fit_two_betas,
    posterior_tables,
)
from ferclean.partition.mixtures import fit_per_class

PEAK = {"alphas": [6.0, 2.0], "betas": [4.0, 3.0], "weights": [0.6, 0.4]}  # at 0.8
VALLEY = {"alphas": [0.6, 1.2], "betas": [0.3, 1.5], "weights": [0.5, 0.5]}  # at 1 / 3


@pytest.fixture
def similarities():
    random = np.random.default_rng(0)
    clean, noisy = random.beta(9, 1.2, size=700), random.beta(1.5, 5, size=300)
    return np.concatenate([clean, noisy]), np.repeat([1, 0], [700, 300])


class SourceMixture:
    """The authors' loop, density by density, with scipy's Beta."""

    def __init__(self, scores):
        self.a, self.b, self.w = [1, 2], [2, 1], [0.5, 0.5]
        scores = np.clip(scores, 1e-4, 1 - 1e-4)
        for _ in range(10):
            r = np.maximum([self.weighted(scores, j) for j in (0, 1)], 1e-12)
            r /= r.sum(axis=0)
            for j in (0, 1):
                mean = (r[j] * scores).sum() / r[j].sum()
                variance = (r[j] * (scores - mean) ** 2).sum() / r[j].sum()
                self.a[j] = mean * (mean * (1 - mean) / variance - 1)
                self.b[j] = self.a[j] * (1 - mean) / mean
            self.w = r.sum(axis=1) / r.sum()

    def weighted(self, x, j):
        return self.w[j] * beta_distribution.pdf(x, self.a[j], self.b[j])

    def posterior(self, x):
        return self.weighted(x, 1) / (self.weighted(x, 0) + self.weighted(x, 1) + 1e-12)


def test_ten_em_steps_are_the_sources(similarities):
    scores, _ = similarities
    source, found = SourceMixture(scores), fit_two_betas(scores).parameters
    for name, values in (("alphas", source.a), ("betas", source.b), ("weights", source.w)):
        np.testing.assert_allclose(found[name][::-1], values, rtol=1e-7)


def test_the_table_is_the_sources_up_to_its_maximum(similarities):
    scores, _ = similarities
    source = SourceMixture(scores)
    lookup = source.posterior(np.linspace(1e-12, 1 - 1e-12, 100))
    lookup[np.argmax(lookup) :] = lookup.max()
    (table,) = posterior_tables(fit_two_betas(scores).parameters)
    np.testing.assert_allclose(table, lookup, atol=2e-3)


def test_separated_components_are_told_apart(similarities):
    scores, clean = similarities
    fit = fit_two_betas(scores)
    assert roc_auc_score(clean, fit.clean_probability) > 0.99
    assert ((fit.clean_probability > 0.5) == clean).mean() > 0.95
    means = np.divide(
        fit.parameters["alphas"], np.add(fit.parameters["alphas"], fit.parameters["betas"])
    )
    # Ten steps by moments come close to the components, no closer.
    assert means == pytest.approx([9 / 10.2, 1.5 / 6.5], abs=0.1)


@pytest.mark.parametrize("parameters", [PEAK, VALLEY])
def test_the_posterior_is_bayes_rule_on_one_side_of_the_turning_point(parameters):
    (a1, a0), (b1, b0), (w1, w0) = (parameters[k] for k in ("alphas", "betas", "weights"))
    turn = (a1 - a0) / (a1 - a0 + b1 - b0)
    x = np.linspace(0.005, 0.995, 199)
    clean = w1 * beta_distribution.pdf(x, a1, b1)
    naive = clean / (clean + w0 * beta_distribution.pdf(x, a0, b0))
    found = clean_posterior(x, parameters)
    exact = x <= turn if parameters is PEAK else x >= turn
    assert 20 < exact.sum() < 180
    np.testing.assert_allclose(found[exact], naive[exact])
    (level,) = set(np.round(found[~exact], 12))
    best = naive.max() if parameters is PEAK else naive.min()
    assert level == pytest.approx(best, abs=1e-3)
    # Without the guards it would fall somewhere.
    assert (np.diff(naive) < 0).any() and (np.diff(found) >= 0).all()


def test_components_that_em_swapped_are_named_by_their_means():
    scores = np.array([0.9, 0.3, 0.4, 0.0, 0.0, 0.3, 0.2])
    source, found = SourceMixture(scores), fit_two_betas(scores)
    means = [a / (a + b) for a, b in zip(source.a, source.b, strict=True)]
    assert means[0] > means[1]  # the source would call the lower one clean
    assert found.parameters["alphas"] == pytest.approx(source.a)
    order = np.argsort(scores)
    assert (np.diff(found.clean_probability[order]) >= 0).all()


def test_the_component_of_the_larger_mean_is_clean_where_the_other_has_the_larger_alpha():
    random = np.random.default_rng(0)
    scores = np.concatenate([random.beta(2, 0.5, size=600), random.beta(12, 24, size=400)])
    clean = np.repeat([True, False], [600, 400])
    fit = fit_two_betas(scores)
    alphas, betas = (np.array(fit.parameters[name]) for name in ("alphas", "betas"))
    assert alphas[0] < alphas[1]
    assert (alphas / (alphas + betas)).tolist() == pytest.approx([4 / 5, 1 / 3], abs=0.1)
    assert ((fit.clean_probability > 0.5) == clean).mean() > 0.85


def test_scores_are_fitted_within_the_clip_and_judged_as_they_are():
    random = np.random.default_rng(3)
    scores = np.concatenate([np.full(40, 1.0), random.random(60), np.zeros(20)])
    wide, narrow = fit_two_betas(scores, clip=1e-3), fit_two_betas(scores)
    inside = fit_two_betas(np.clip(scores, 1e-3, 1 - 1e-3))
    assert wide.parameters == inside.parameters != narrow.parameters
    expected = clean_posterior(scores, wide.parameters)
    np.testing.assert_allclose(wide.clean_probability, expected, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(arrays("float64", st.integers(0, 60), elements=st.floats(0, 1)))
def test_any_scores_give_finite_parameters_and_a_posterior_that_never_falls(scores):
    with np.errstate(all="raise", under="ignore"):
        fit = fit_two_betas(scores)
    clean = fit.clean_probability
    assert clean.dtype == np.float32 and ((clean >= 0) & (clean <= 1)).all()
    assert (np.diff(clean[np.argsort(scores, kind="stable")]) >= -1e-6).all()
    for values in fit.parameters.values():
        assert np.isfinite(values).all() and (np.array(values) > 0).all()
    (table,) = posterior_tables(fit.parameters)
    assert table.shape == (100,) and (np.diff(table) >= 0).all()


@pytest.mark.parametrize(
    "scores", [np.full(50, 0.3), np.ones(9), np.array([0.5]), np.empty(0), np.zeros(3)]
)
def test_scores_that_tell_nothing_call_every_row_clean(scores):
    fit = fit_two_betas(scores)
    assert fit.parameters == {} and fit.clean_probability.tolist() == [1.0] * len(scores)
    assert (posterior_tables(fit.parameters) == 1).all()


def test_two_spikes_have_no_variance_and_are_told_apart():
    scores = np.repeat([0.2, 0.9], [30, 70])
    clean = fit_two_betas(scores).clean_probability
    assert (clean[:30] < 0.01).all() and (clean[30:] > 0.99).all()
    ends = np.repeat([0.0, 1.0], [30, 70])
    clean = fit_two_betas(ends).clean_probability
    assert (clean[:30] < 0.5).all() and (clean[30:] > 0.5).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [(np.nan, "1 of 3 scores not finite"), (np.inf, "1 of 3"), (1.5, "in .0, 1."), (-0.1, "lie")],
)
def test_scores_that_cannot_be_are_refused(bad, message):
    scores = np.array([0.1, bad, 0.3])
    for fit in (
        lambda: fit_two_betas(scores),
        lambda: fit_per_class(fit_two_betas, scores, np.array([0, 1, 0]), classes=2),
    ):
        with pytest.raises(ValueError, match=message):
            fit()


def test_a_mixture_a_class_is_a_fit_to_each_classs_rows(similarities):
    scores, _ = similarities
    observed = np.random.default_rng(1).integers(3, size=len(scores))
    observed[observed == 1] = 3  # nobody has class 1
    observed[0] = 4  # one row of class 4
    found = fit_per_class(fit_two_betas, scores, observed, classes=5)
    assert [bool(p) for p in found.parameters["classes"]] == [True, False, True, True, False]
    tables = posterior_tables(found.parameters)
    assert tables.shape == (5, 100)
    for label in (0, 2, 3):
        alone = fit_two_betas(scores[observed == label])
        assert found.parameters["classes"][label] == alone.parameters
        np.testing.assert_array_equal(
            found.clean_probability[observed == label], alone.clean_probability
        )
        np.testing.assert_array_equal(tables[label], posterior_tables(alone.parameters)[0])
    assert found.clean_probability[0] == 1 and (tables[[1, 4]] == 1).all()
    with pytest.raises(ValueError, match="1000 scores for 3 labels"):
        fit_per_class(fit_two_betas, scores, observed[:3], classes=5)


def test_parameters_survive_json_and_one_class_is_one_mixture(similarities):
    scores, _ = similarities
    observed = np.zeros(len(scores), dtype=np.int64)
    found = fit_per_class(fit_two_betas, scores, observed, classes=1)
    again = json.loads(json.dumps(found.parameters))
    assert again == found.parameters == {"classes": [fit_two_betas(scores).parameters]}
    assert posterior_tables(again).tobytes() == posterior_tables(found.parameters).tobytes()


def test_a_million_scores_take_seconds():
    random = np.random.default_rng(0)
    scores = random.beta(0.7, 0.4, size=10**6)
    start = time.process_time()
    fit_per_class(fit_two_betas, scores, random.integers(7, size=10**6), classes=7)
    fit_two_betas(scores)
    assert time.process_time() - start < 10
