import numpy as np
import pytest

from ferclean.partition.beta_mixture import fit_two_betas
from ferclean.partition.mixtures import fit_two_gaussians
from ferclean.report.mixtures import component_curves, is_drawable


def test_gaussian_components_are_weighted_densities_with_the_smaller_mean_first():
    mixture = {"weights": [0.3, 0.7], "means": [0.8, 0.2], "variances": [0.01, 0.04]}
    place = np.linspace(-1, 2, 3001)
    (clean, first), (noisy, second) = component_curves(mixture, place)
    assert (clean, noisy) == ("fitted: clean", "fitted: noisy")
    np.testing.assert_allclose(np.trapezoid(first, place), 0.7, atol=1e-3)
    np.testing.assert_allclose(np.trapezoid(second, place), 0.3, atol=1e-3)
    assert abs(place[first.argmax()] - 0.2) < 0.01 < abs(place[second.argmax()] - 0.2)


def test_what_the_fits_leave_can_be_drawn():
    scores = np.random.default_rng(0).beta(3, 1, 500)
    for fit in (fit_two_betas(scores), fit_two_gaussians(scores, seed=0)):
        assert is_drawable(fit.parameters)
        curves = component_curves(fit.parameters, np.linspace(0, 1, 200))
        assert len(curves) == 2
        assert all(np.isfinite(density).all() for _, density in curves)


@pytest.mark.parametrize(
    "parameters", [None, {}, {"alphas": [1.0]}, {"classes": [{}]}, {"weights": []}]
)
def test_nothing_fitted_cannot_be_drawn(parameters):
    assert not is_drawable(parameters)
