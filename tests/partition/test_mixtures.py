import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

from ferclean.partition.mixtures import fit_per_class, fit_two_gaussians, scale_to_unit


@pytest.fixture
def losses():
    random = np.random.default_rng(0)
    clean, noisy = random.normal(0.1, 0.05, 700), random.normal(0.7, 0.1, 300)
    return np.clip(np.concatenate([clean, noisy]), 0, 1), np.repeat([1, 0], [700, 300])


def test_posterior_is_bayes_rule_of_the_reported_parameters(losses):
    scores, _ = losses
    fit = fit_two_gaussians(scores, seed=0)
    weight, mean, variance = (
        np.array(fit.parameters[name]) for name in ("weights", "means", "variances")
    )
    likelihood = [
        w * norm.pdf(scores, m, v**0.5) for w, m, v in zip(weight, mean, variance, strict=True)
    ]
    naive = likelihood[0] / (likelihood[0] + likelihood[1])
    np.testing.assert_allclose(fit.clean_probability, naive, atol=1e-4)


def test_separated_components_are_told_apart(losses):
    scores, clean = losses
    fit = fit_two_gaussians(scores, seed=0)
    assert roc_auc_score(clean, fit.clean_probability) > 0.99
    assert fit.parameters["means"][0] < fit.parameters["means"][1]
    assert fit.parameters["means"] == pytest.approx([0.1, 0.7], abs=0.03)


def test_same_seed_same_bits(losses):
    first, second = (fit_two_gaussians(losses[0], seed=5).clean_probability for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("scores", [np.full(50, 0.3), np.array([0.5]), np.empty(0)])
def test_scores_that_tell_nothing_call_every_row_clean(scores):
    fit = fit_two_gaussians(scores, seed=0)
    assert (fit.clean_probability == 1).all() and len(fit.clean_probability) == len(scores)
    assert fit.parameters == {}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="1 of 3 scores not finite"):
        fit_two_gaussians(np.array([0.1, bad, 0.3]), seed=0)
    with pytest.raises(ValueError, match="1 of 3 scores not finite"):
        scale_to_unit(np.array([0.1, bad, 0.3]))


def test_scaling_is_linear():
    np.testing.assert_allclose(scale_to_unit(np.array([3.0, 1.0, 5.0, 2.0])), [0.5, 0, 1, 0.25])


def test_equal_losses_scale_to_zero_without_a_division_by_zero():
    with np.errstate(all="raise"):
        assert scale_to_unit(np.full(4, 2.3)).tolist() == [0, 0, 0, 0]


@settings(max_examples=50, deadline=None)
@given(arrays("float64", st.integers(2, 40), elements=st.floats(0, 50)))
def test_scaling_keeps_the_order_and_fills_the_unit_interval(scores):
    scaled = scale_to_unit(scores)
    assert scaled.min() == 0 and scaled.max() == (1 if np.ptp(scores) > 0 else 0)
    assert (np.diff(scaled[np.argsort(scores, kind="stable")]) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(arrays("float64", st.integers(2, 60), elements=st.floats(0, 1)))
def test_posterior_is_a_probability_for_any_scores(scores):
    clean = fit_two_gaussians(scores, seed=0).clean_probability
    assert clean.dtype == np.float32 and ((clean >= 0) & (clean <= 1)).all()


HARD = {
    "overlapping": lambda r: (r.normal(0.3, 0.12, 400), r.normal(0.45, 0.2, 400)),
    "unequal": lambda r: (r.normal(0.2, 0.05, 990), r.normal(0.5, 0.15, 25)),
    "a spike": lambda r: (r.normal(0.01, 1e-5, 600), r.normal(0.04, 0.02, 100)),
    "mostly noisy": lambda r: (r.exponential(0.01, 300), r.beta(2, 1, 700)),
    "slow": lambda r: (r.exponential(0.001, 500), r.beta(0.5, 1, 500)),  # ten steps are too few
}


def hard_to_tell(name):
    return np.concatenate(HARD[name](np.random.default_rng(3))).clip(0, 1)


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("seed", [0, 2**32 + 7])
def test_the_mixture_is_scikit_learns_with_dividemixs_constants(name, seed):
    scores = hard_to_tell(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(
            n_components=2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=seed % 2**32
        ).fit(scores[:, None])
    clean = mixture.means_[:, 0].argmin()
    found = fit_two_gaussians(scores, seed=seed)
    np.testing.assert_allclose(
        found.clean_probability, mixture.predict_proba(scores[:, None])[:, clean], atol=1e-6
    )
    order = [clean, 1 - clean]
    expected = (mixture.weights_, mixture.means_[:, 0], mixture.covariances_[:, 0, 0])
    for key, values in zip(("weights", "means", "variances"), expected, strict=True):
        np.testing.assert_allclose(found.parameters[key], values[order], rtol=1e-9)


def test_no_variance_falls_below_the_floor():
    assert min(fit_two_gaussians(hard_to_tell("a spike"), seed=0).parameters["variances"]) > 5e-4


def test_a_mixture_a_class_keeps_a_class_whose_scores_are_all_large():
    random = np.random.default_rng(0)
    drawn = random.normal([[0.1, 0.3], [0.7, 0.9]], 0.02, size=(200, 2, 2))
    scores = drawn.transpose(1, 2, 0).ravel()  # class 0, class 1: right, then wrong
    observed, right = np.repeat([0, 1], 400), np.tile(np.repeat([True, False], 200), 2)
    fit = partial(fit_two_gaussians, seed=0)
    together = fit(scores).clean_probability > 0.5
    assert not together[observed == 1].any()
    found = fit_per_class(fit, scores, observed, classes=3)
    np.testing.assert_array_equal(found.clean_probability > 0.5, right)
    for label in (0, 1):
        alone = fit(scores[observed == label])
        assert found.parameters["classes"][label] == alone.parameters
        np.testing.assert_array_equal(
            found.clean_probability[observed == label], alone.clean_probability
        )
    assert found.parameters["classes"][2] == {}  # nobody has it
