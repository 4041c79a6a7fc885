import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics.pairwise import cosine_similarity

from ferclean.errors import FercleanError
from ferclean.partition.prototypes import (
    PROTOTYPE_RULES,
    choose_density_peaks,
    class_prototypes,
    class_similarity,
    corrected_labels,
    density,
    diversity,
)
from ferclean.partition.vectors import unit_rows

PAPER = {"samples": 1280, "count": 8, "rule": "density_peaks", "quantile": 0.4, "limit": 0.95}


def naive_density(closeness, quantile):
    m = len(closeness)
    entries = sorted(closeness[i, j] for i in range(m) for j in range(m) if i != j)
    limit = np.quantile(entries, quantile)
    return [sum(np.sign(closeness[i, j] - limit) for j in range(m) if j != i) for i in range(m)]


def naive_diversity(closeness, rho):
    found = []
    for i in range(len(rho)):
        if rho[i] < max(rho):
            found.append(max(closeness[i, j] for j in range(len(rho)) if rho[j] > rho[i]))
        else:
            found.append(min(closeness[i]))
    return found


@given(st.integers(2, 12), st.integers(0, 10**6), st.floats(0, 1), st.booleans())
def test_density_and_diversity_are_those_of_a_naive_loop(count, seed, quantile, ties):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    closeness = cosine_similarity(points.round(0) + 1e-3 if ties else points)
    rho = density(closeness, quantile)
    np.testing.assert_array_equal(rho, naive_density(closeness, quantile))
    np.testing.assert_array_equal(diversity(closeness, rho), naive_diversity(closeness, rho))


def test_the_diagonal_has_no_say_in_the_threshold_or_the_density():
    closeness = cosine_similarity(np.random.default_rng(0).normal(size=(9, 4)))
    other = closeness.copy()
    np.fill_diagonal(other, -5.0)
    np.testing.assert_array_equal(density(closeness, 0.4), density(other, 0.4))


def test_the_order_of_densities_hardly_depends_on_the_quantile():
    """The paper: only relative density matters."""
    random = np.random.default_rng(0)
    closeness = cosine_similarity(random.normal(size=(300, 16)) + 1.0)
    reference = density(closeness, 0.4).argsort().argsort()
    for quantile in (0.3, 0.6, 0.8):
        ranks = density(closeness, quantile).argsort().argsort()
        assert np.corrcoef(reference, ranks)[0, 1] > 0.9


def test_the_densest_point_and_unlike_points_become_prototypes():
    rho = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    eta = np.array([0.1, 0.99, 0.2, 0.951, 0.3])
    assert choose_density_peaks(rho, eta, count=3, limit=0.95).tolist() == [0, 2, 4]
    # Relaxed to 0.96, by which the fourth comes in and the second does not.
    assert choose_density_peaks(rho, eta, count=4, limit=0.95).tolist() == [0, 2, 3, 4]
    assert choose_density_peaks(rho, eta, count=9, limit=0.95).tolist() == [0, 1, 2, 3, 4]


def test_the_limit_on_diversity_is_relaxed_by_hundredths():
    rho, eta = np.array([5.0, 4.0, 3.0]), np.array([0.1, 0.965, 0.955])
    assert choose_density_peaks(rho, eta, count=2, limit=0.95).tolist() == [0, 2]


def test_equal_points_still_give_the_wanted_number():
    same = np.ones((6, 6))
    rho = density(same, 0.4)
    assert rho.tolist() == [0.0] * 6
    found = choose_density_peaks(rho, diversity(same, rho), count=4, limit=0.95)
    assert found.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("rule", PROTOTYPE_RULES)
def test_prototypes_correct_wrong_labels(rule):
    random = np.random.default_rng(1)
    truth = np.repeat(np.arange(5), 80)
    points = 4 * np.eye(5, 16)[truth] + random.normal(size=(400, 16))
    wrong = random.random(400) < 0.3
    observed = np.where(wrong, (truth + random.integers(1, 5, size=400)) % 5, truth)
    prototypes = class_prototypes(points, observed, classes=5, **{**PAPER, "rule": rule}, seed=0)
    assert [p.shape for p in prototypes] == [(8, 16)] * 5
    found = corrected_labels(class_similarity(points, prototypes), observed)
    assert (found == truth).mean() > 0.93 > (observed == truth).mean()


def test_density_peaks_are_the_densest_of_unlike_points():
    """Two tight heaps of 20 and 10, and one point apart: one prototype each, the larger first."""
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(3), [20, 10, 1], axis=0)
    points = centres + 0.01 * random.normal(size=(31, 3))
    options = {**PAPER, "count": 3}
    (found,) = class_prototypes(points, np.zeros(31, int), classes=1, **options, seed=0)
    assert found.argmax(axis=1).tolist() == [0, 1, 2]


def test_prototypes_are_rows_of_their_class_drawn_anew_with_each_seed():
    random = np.random.default_rng(2)
    points, observed = random.normal(size=(200, 5)), random.integers(2, size=200)
    options = {**PAPER, "samples": 30, "count": 5}
    first, again, other = (
        class_prototypes(points, observed, classes=2, **options, seed=seed) for seed in (3, 3, 4)
    )
    for label in range(2):
        own = unit_rows(points[observed == label])
        assert all(np.isclose(own, row).all(axis=1).any() for row in first[label])
        np.testing.assert_array_equal(first[label], again[label])
        assert not np.array_equal(first[label], other[label])


def test_a_class_of_few_is_sampled_whole():
    """m_c = min(m, n_c): the draw does not matter where it takes all."""
    random = np.random.default_rng(3)
    points, observed = random.normal(size=(50, 5)), np.repeat([0, 1], [45, 5])
    found = [
        class_prototypes(points, observed, classes=2, **PAPER, seed=seed)[1] for seed in (0, 1)
    ]
    np.testing.assert_array_equal(*found)
    assert len(found[0]) == 5


@pytest.mark.parametrize("rule", PROTOTYPE_RULES)
def test_classes_with_one_row_or_none(rule):
    points = np.random.default_rng(4).normal(size=(20, 3))
    observed = np.zeros(20, dtype=int)
    observed[7] = 2
    found = class_prototypes(points, observed, classes=4, **{**PAPER, "rule": rule}, seed=0)
    assert [len(p) for p in found] == [8, 0, 1, 0]
    similarity = class_similarity(points, found)
    assert (similarity[:, [1, 3]] == -1).all() and np.isfinite(similarity).all()
    assert set(corrected_labels(similarity, observed)) <= {0, 2}


@pytest.mark.parametrize("rule", PROTOTYPE_RULES)
def test_constant_features_leave_every_label_as_it_is(rule):
    points, observed = np.ones((12, 3)), np.arange(12) % 3
    found = class_prototypes(points, observed, classes=3, **{**PAPER, "rule": rule}, seed=0)
    similarity = class_similarity(points, found)
    np.testing.assert_allclose(similarity, 1, atol=1e-6)
    np.testing.assert_array_equal(corrected_labels(similarity.round(6), observed), observed)


def test_one_class_only():
    points = np.random.default_rng(5).normal(size=(10, 3))
    found = class_prototypes(points, np.zeros(10, int), classes=1, **PAPER, seed=0)
    assert (corrected_labels(class_similarity(points, found), np.zeros(10, int)) == 0).all()


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 10**6))
def test_similarity_is_the_mean_cosine_to_a_classs_prototypes(rows, width, seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(rows, width))
    prototypes = [unit_rows(random.normal(size=(p, width))) for p in (3, 1, 2)]
    expected = [cosine_similarity(points, p).mean(axis=1) for p in prototypes]
    found = class_similarity(points, prototypes)
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-5)


def test_chunks_do_not_matter(monkeypatch):
    random = np.random.default_rng(6)
    points, prototypes = random.normal(size=(50, 4)), [unit_rows(random.normal(size=(2, 4)))] * 2
    whole = class_similarity(points, prototypes)
    monkeypatch.setattr("ferclean.partition.vectors._CHUNK_VALUES", 12)
    np.testing.assert_allclose(class_similarity(points, prototypes), whole, atol=1e-6)


def test_a_tie_goes_to_the_observed_label():
    similarity = np.array([[0.5, 0.5, 0.1], [0.5, 0.5, 0.1], [0.5, 0.5, 0.1]])
    assert corrected_labels(similarity, np.array([0, 1, 2])).tolist() == [0, 1, 0]


def test_a_label_gives_way_to_a_class_that_is_slightly_more_similar():
    assert corrected_labels(np.array([[0.5, 0.501]]), np.array([0])).tolist() == [1]


def test_what_is_not_finite_or_not_known_is_refused():
    points, observed = np.ones((4, 2)), np.zeros(4, dtype=int)
    broken = points.copy()
    broken[1, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        class_prototypes(broken, observed, classes=1, **PAPER, seed=0)
    with pytest.raises(ValueError, match="finite"):
        class_similarity(broken, [points])
    with pytest.raises(ValueError, match="4 features for 3 labels"):
        class_prototypes(points, observed[:3], classes=1, **PAPER, seed=0)
    with pytest.raises(FercleanError, match="unknown rule for prototypes 'k_mean'"):
        class_prototypes(points, observed, classes=1, **{**PAPER, "rule": "k_mean"}, seed=0)


def test_euclidean_peaks_have_the_largest_product_of_density_and_distance():
    """Rodriguez and Laio: how many points are near, times the distance to a denser one."""
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(size=(30, 2)), [[40.0, 0.0]]])  # one far from all
    options = {**PAPER, "rule": "euclidean_density_peaks", "count": 4}
    (found,) = class_prototypes(points, np.zeros(31, int), classes=1, **options, seed=0)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    limit = np.quantile(apart[~np.eye(31, dtype=bool)], 0.6)
    near = [sum(apart[i, j] < limit for j in range(31) if j != i) for i in range(31)]
    gain = []
    for i in range(31):
        denser = [apart[i, j] for j in range(31) if near[j] > near[i]]
        gain.append(near[i] * (min(denser) if denser else max(apart[i])))
    expected = points[np.argsort(-np.array(gain), kind="stable")[:4]]
    np.testing.assert_allclose(found, unit_rows(expected), atol=1e-12)
    assert near[30] == 0 and 30 not in np.argsort(-np.array(gain))[:4]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(2, 25), quantile=st.sampled_from([0.4, 0.8]))
def test_euclidean_peaks_come_by_falling_product(seed, size, quantile):
    points = np.random.default_rng(seed).normal(size=(size, 2))
    options = {**PAPER, "rule": "euclidean_density_peaks", "count": size, "quantile": quantile}
    (found,) = class_prototypes(points, np.zeros(size, int), classes=1, **options, seed=0)
    apart = cdist(points, points)
    limit = -np.quantile(-apart[~np.eye(size, dtype=bool)], quantile)
    gain = []
    near = (apart < limit).sum(axis=1) - 1 + 0.5 * (apart == limit).sum(axis=1)
    for i in range(size):
        denser = [apart[i, j] for j in range(size) if near[j] > near[i]]
        gain.append(near[i] * (min(denser) if denser else max(apart[i])))
    order = sorted(range(size), key=lambda i: -gain[i])  # of equal ones the earlier first
    np.testing.assert_allclose(found, unit_rows(points[order]), atol=1e-12)


def test_cluster_centres_are_those_of_fifty_rounds_of_lloyds_from_a_start_of_k_means_plus_plus():
    """6000 points along an arc, ever farther apart: the centres creep for hundreds of rounds."""
    angles = 1.5 * np.linspace(0, 1, 6000) ** 2
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    options = {**PAPER, "rule": "k_means", "samples": 6000, "count": 12}
    (found,) = class_prototypes(points, np.zeros(6000, int), classes=1, **options, seed=2)
    random = np.random.default_rng([2, 0])
    random.choice(np.arange(6000), 6000, replace=False)
    centres, _ = kmeans_plusplus(points, 12, random_state=int(random.integers(2**31)))
    for _ in range(50):
        nearest = cdist(points, centres).argmin(axis=1)
        centres = np.array([points[nearest == k].mean(axis=0) for k in range(12)])
    np.testing.assert_allclose(found, unit_rows(centres), atol=1e-8)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_diversities_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        choose_density_peaks(np.zeros(2), np.array([0.1, bad]), count=2, limit=0.95)
