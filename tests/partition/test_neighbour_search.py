import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ferclean.partition.neighbour_search import comparable, exact_neighbours, pair_distances

POINTS = np.random.default_rng(0).normal(size=(600, 4)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("chunk", [1, 5000, 2**25])
def test_some_rows_are_compared_with_all_others(metric, chunk):
    rows = np.array([599, 3, 4, 77])
    near, distance = exact_neighbours(comparable(POINTS, metric), rows, 5, metric, chunk)
    between = cdist(POINTS[rows], POINTS, metric)
    between[np.arange(4), rows] = np.inf
    np.testing.assert_array_equal(near, np.argsort(between, axis=1)[:, :5])
    np.testing.assert_allclose(distance, np.sort(between, axis=1)[:, :5], atol=2e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distances_are_scipys(metric):
    points = comparable(POINTS[:50], metric)
    found = pair_distances(points[:7], points, metric).numpy()
    np.testing.assert_allclose(found, cdist(POINTS[:7], POINTS[:50], metric), atol=2e-6)


def test_no_matrix_of_all_pairs_is_held():
    chunk = 600 * 8
    values = []

    class Counted(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                values.append(result.numel())
            return result

    points = comparable(POINTS, "cosine")
    with Counted():
        exact_neighbours(points, np.arange(600), 3, "cosine", chunk)
    assert max(values) == chunk
