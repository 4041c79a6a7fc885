import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy

from ferclean.errors import FercleanError
from ferclean.partition.uncertainty import (
    SPLITS,
    ensemble_probabilities,
    expected_softmax,
    split_uncertainty,
)

DRAWS = {"samples": 200, "seed": 3}


def make_ensemble(members=3, rows=40, classes=5, seed=0):
    random = np.random.default_rng(seed)
    mean = random.normal(size=(members, rows, classes)).astype(np.float32) * 2
    scale = random.uniform(0.05, 2, size=mean.shape).astype(np.float32)
    return mean, scale


def naive_expected_softmax(mean, scale, samples, seed):
    noise = np.random.default_rng(seed).standard_normal(
        (mean.shape[1], 1, samples), dtype=np.float32
    )
    rows = []
    for mu, sigma in zip(mean, scale, strict=True):
        draws = [softmax(mu + sigma * noise[:, 0, t]) for t in range(samples)]
        rows.append(np.mean(draws, axis=0))
    return np.array(rows)


def test_expected_softmax_is_the_mean_of_sampled_softmaxes():
    mean, scale = (values[0] for values in make_ensemble())
    found = expected_softmax(mean, scale, **DRAWS)
    np.testing.assert_allclose(found, naive_expected_softmax(mean, scale, 200, 3), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_two_classes_agree_with_the_integral():
    # For two classes softmax is a sigmoid of a Gaussian difference, integrated by Gauss-Hermite.
    mean, scale = np.array([[1.5, 0.0]]), np.array([[1.0, 2.0]])
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    exact = (weights / (1 + np.exp(-(1.5 + np.sqrt(5.0) * points)))).sum() / np.sqrt(2 * np.pi)
    found = expected_softmax(mean, scale, samples=100_000, seed=0)
    assert found[0, 0] == pytest.approx(exact, abs=3e-3)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 30), chunk_values=st.integers(1, 40_000), seed=st.integers(0, 99))
def test_a_row_depends_neither_on_its_neighbours_nor_on_the_chunks(rows, chunk_values, seed):
    # The library ignores its batch size and always takes one row at a time.
    mean, scale = (values[0] for values in make_ensemble(rows=30, seed=seed))
    whole = expected_softmax(mean, scale, **DRAWS)
    part = expected_softmax(mean[:rows], scale[:rows], **DRAWS, chunk_values=chunk_values)
    np.testing.assert_array_equal(part, whole[:rows])


def test_the_seed_decides():
    mean, scale = (values[0] for values in make_ensemble())
    first = expected_softmax(mean, scale, samples=50, seed=1)
    np.testing.assert_array_equal(first, expected_softmax(mean, scale, samples=50, seed=1))
    assert (first != expected_softmax(mean, scale, samples=50, seed=2)).any()


def test_without_noise_it_is_the_softmax_and_huge_logits_do_no_harm():
    mean = np.array([[1.0, 2.0, 3.0], [1e4, -1e4, 0.0], [5.0, 5.0, 5.0]])
    found = expected_softmax(mean, np.zeros((3, 3)), samples=4, seed=0)
    np.testing.assert_allclose(found, softmax(mean, axis=1), atol=1e-6)
    huge = expected_softmax(np.zeros((1, 3)), np.full((1, 3), 1e8), samples=4000, seed=0)
    np.testing.assert_allclose(huge, 1 / 3, atol=0.05)  # a toss of three-sided coins


@pytest.mark.parametrize("split", SPLITS)
def test_total_is_the_entropy_of_what_is_predicted(split):
    # The library hands out probabilities by the name of uncertainties; these are entropies.
    mean, scale = make_ensemble()
    found = split_uncertainty(mean, scale, split=split, **DRAWS)
    predicted = ensemble_probabilities(mean, scale, split=split, **DRAWS)
    np.testing.assert_array_equal(found.probabilities, predicted)
    np.testing.assert_allclose(found.total, entropy(predicted, axis=1), rtol=1e-5)
    for values in (found.aleatoric, found.epistemic, found.total):
        assert values.shape == (40,) and values.dtype == np.float32
        assert (values >= 0).all() and (values <= np.log(5) + 1e-6).all()


def test_information_is_entropy_of_the_mean_less_mean_of_entropies():
    mean, scale = make_ensemble()
    found = split_uncertainty(mean, scale, split="information", **DRAWS)
    members = [expected_softmax(m, s, **DRAWS) for m, s in zip(mean, scale, strict=True)]
    within = np.mean([entropy(p, axis=1) for p in members], axis=0)
    np.testing.assert_allclose(found.aleatoric, within, rtol=1e-5)
    total = entropy(np.mean(members, axis=0), axis=1)
    np.testing.assert_allclose(found.epistemic, total - within, atol=1e-5)


def test_gaussian_logits_take_mean_variances_and_add_variances():
    # The library takes the mean of standard deviations, and adds those.
    mean, scale = make_ensemble()
    found = split_uncertainty(mean, scale, split="gaussian_logits", **DRAWS)
    centred = mean - mean.mean(axis=2, keepdims=True)
    centre, aleatoric, epistemic = centred.mean(0), (scale**2).mean(0), centred.var(0)

    def entropy_of(variance):
        return entropy(expected_softmax(centre, np.sqrt(variance), **DRAWS), axis=1)

    np.testing.assert_allclose(found.aleatoric, entropy_of(aleatoric), atol=1e-4)
    np.testing.assert_allclose(found.epistemic, entropy_of(epistemic), atol=1e-4)
    np.testing.assert_allclose(found.total, entropy_of(aleatoric + epistemic), atol=1e-4)
    of_deviations = entropy_of(scale.mean(0) ** 2)
    assert np.abs(found.aleatoric - of_deviations).max() > 1e-3
    added_deviations = entropy_of((np.sqrt(aleatoric) + np.sqrt(epistemic)) ** 2)
    assert np.abs(found.total - added_deviations).max() > 1e-2


@pytest.mark.parametrize("split", SPLITS)
def test_a_shift_of_all_classes_alike_is_no_disagreement(split):
    mean, scale = make_ensemble()
    shift = np.array([-20.0, 0.0, 20.0], dtype=np.float32)[:, None, None]
    plain = split_uncertainty(mean, scale, split=split, **DRAWS)
    shifted = split_uncertainty(mean + shift, scale, split=split, **DRAWS)
    np.testing.assert_allclose(shifted.epistemic, plain.epistemic, atol=1e-4)


def test_noise_is_aleatoric_and_disagreement_is_epistemic():
    sure = np.array([[[6.0, 0.0, 0.0]], [[6.0, 0.0, 0.0]]])
    at_odds = np.array([[[6.0, 0.0, 0.0]], [[0.0, 6.0, 0.0]]])
    quiet, noisy = np.full((2, 1, 3), 0.1), np.full((2, 1, 3), 6.0)
    calm, unsure, split = (
        split_uncertainty(m, s, split="information", **DRAWS)
        for m, s in ((sure, quiet), (sure, noisy), (at_odds, quiet))
    )
    assert unsure.aleatoric > 5 * calm.aleatoric and unsure.epistemic < 1e-6
    assert split.epistemic > 0.5 and split.aleatoric == pytest.approx(calm.aleatoric, rel=0.1)


def test_one_member_has_no_epistemic_doubt_of_information():
    mean, scale = make_ensemble(members=1)
    assert (split_uncertainty(mean, scale, split="information", **DRAWS).epistemic == 0).all()


def test_bad_input_is_refused():
    mean, scale = make_ensemble()
    for broken in (np.full_like(scale, np.nan), -scale):
        with pytest.raises(ValueError, match="finite and scales at least 0"):
            split_uncertainty(mean, broken, split="information", **DRAWS)
    with pytest.raises(ValueError, match=r"\(N, K\)"):
        expected_softmax(mean[0], scale[0, :, :3], **DRAWS)
    for function in (split_uncertainty, ensemble_probabilities):
        with pytest.raises(FercleanError, match="gaussian_logits"):
            function(mean, scale, split="gaussian", **DRAWS)


def test_no_rows_are_no_rows():
    found = split_uncertainty(
        np.zeros((2, 0, 3)), np.zeros((2, 0, 3)), split="information", **DRAWS
    )
    assert found.probabilities.shape == (0, 3) and found.total.shape == (0,)
