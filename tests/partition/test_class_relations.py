"""Cosines, confidence, prototypes and label distributions against naive loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.partition.class_relations import (
    confidence,
    cosine_graph,
    prototype_distributions,
    weighted_prototypes,
)


def data(rows=40, dimensions=6, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, dimensions)).astype(np.float32)
    observed = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    return features, observed, rng.uniform(0.1, 3.0, rows).astype(np.float32)


def amend(features, observed, weight, classes=4, **changes):
    options = {"distance": "l2norm", "exponent": 1.0, "leave_one_out": False, **changes}
    return prototype_distributions(features, observed, weight, classes, **options)


def naive_prototype(features, observed, weight, label, without=None):
    rows = [i for i in range(len(observed)) if observed[i] == label and i != without]
    if not rows:
        return None
    total = sum(float(weight[i]) for i in rows)
    return sum(float(weight[i]) * features[i].astype(float) for i in rows) / total


def naive_distributions(
    features, observed, weight, classes=4, distance="l2norm", exponent=1.0, leave_one_out=False
):
    found = []
    for i, feature in enumerate(features.astype(float)):
        row = []
        for k in range(classes):
            without = i if leave_one_out and observed[i] == k else None
            point = naive_prototype(features, observed, weight, k, without)
            if point is None:
                point = naive_prototype(features, observed, weight, k)
            if point is None:
                row.append(0.0)
                continue
            f, p = feature, point
            if distance == "l2norm":
                f, p = f / np.linalg.norm(f), p / np.linalg.norm(p)
            row.append((((f - p) ** 2).sum() + 1e-8) ** -exponent)
        found.append(np.array(row) / sum(row))
    return np.array(found)


def test_the_graph_is_the_cosine():
    features, _, _ = data()
    words = np.random.default_rng(1).normal(size=(3, 6))
    naive = [[f @ w / np.linalg.norm(f) / np.linalg.norm(w) for w in words] for f in features]
    np.testing.assert_allclose(cosine_graph(features, words), naive, atol=1e-6)


def test_a_class_without_reference_and_a_vector_of_zeros():
    graph = cosine_graph(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0], [np.nan, 1]]))
    np.testing.assert_array_equal(graph, [[0.0, -1.0], [1.0, -1.0]])


def test_prototypes_are_weighted_means_and_do_not_change_with_the_scale_of_the_weights():
    features, observed, weight = data()
    found, total = weighted_prototypes(features, observed, weight, 4)
    for k in range(4):
        naive = naive_prototype(features, observed, weight, k)
        np.testing.assert_allclose(found[k], naive, atol=1e-9)
        assert total[k] == pytest.approx(weight[observed == k].sum(dtype=float))
    np.testing.assert_allclose(weighted_prototypes(features, observed, 7 * weight, 4)[0], found)
    means, _ = weighted_prototypes(features, observed, np.ones(40), 4)
    np.testing.assert_allclose(means[2], features[observed == 2].mean(axis=0), atol=1e-6)


def test_a_row_without_confidence_hardly_moves_its_prototype():
    features, observed, weight = data()
    weight[0] = 1e-7
    found, _ = weighted_prototypes(features, observed, weight, 4)
    rest, _ = weighted_prototypes(features[1:], observed[1:], weight[1:], 4)
    np.testing.assert_allclose(found, rest, atol=1e-5)


@pytest.mark.parametrize("distance", ["l2norm", "raw"])
@pytest.mark.parametrize("leave_one_out", [False, True])
@pytest.mark.parametrize("exponent", [1.0, 2.5])
def test_label_distributions_are_those_of_the_naive_loop(distance, leave_one_out, exponent):
    arrays, options = data(), {
        "distance": distance, "leave_one_out": leave_one_out, "exponent": exponent
    }  # fmt: skip
    np.testing.assert_allclose(
        amend(*arrays, **options), naive_distributions(*arrays, **options), atol=1e-5
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from(["l2norm", "raw"]), st.booleans())
def test_rows_sum_to_one(seed, distance, leave_one_out):
    found = amend(*data(12, 3, 4, seed), distance=distance, leave_one_out=leave_one_out)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


def test_length_counts_for_raw_distances_only():
    features, observed, weight = data()
    features[5] *= 10
    short = features.copy()
    short[5] /= 10
    row = [
        amend(f, observed, np.where(np.arange(40) == 5, 1e-9, weight)) for f in (features, short)
    ]
    np.testing.assert_allclose(row[0][5], row[1][5], atol=1e-5)
    raw = [
        amend(f, observed, np.where(np.arange(40) == 5, 1e-9, weight), distance="raw")
        for f in (features, short)
    ]
    assert np.abs(raw[0][5] - raw[1][5]).max() > 0.05


def test_a_class_without_rows_gets_nothing():
    features, observed, weight = data(classes=3)
    found = amend(features, observed, weight, classes=5)
    assert not found[:, 3:].any()
    np.testing.assert_allclose(found[:, :3], amend(features, observed, weight, classes=3))


@pytest.mark.parametrize("leave_one_out", [False, True])
def test_a_class_of_one_row_keeps_that_row(leave_one_out):
    features, observed, weight = data()
    observed = np.where(np.arange(40) == 7, 3, observed % 3)
    found = amend(features, observed, weight, leave_one_out=leave_one_out)
    assert found[7].argmax() == 3 and found[7, 3] > 0.999
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("other", "alone"), [(1e-10, True), (1e-8, False), (1e-3, False)])
def test_a_row_is_alone_where_the_others_of_its_class_weigh_a_billionth(other, alone):
    """Of two rows the second, the first's whole class without it, hardly counts."""
    features = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
    weight = np.array([1.0, other, 1.0])
    found = amend(features, np.array([0, 0, 1]), weight, classes=2, leave_one_out=True)
    squared = np.array([1e-8 if alone else 2.0, 4.0]) + 1e-8
    expected = (1 / squared) / (1 / squared).sum()
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-6)


def test_one_class_only_and_no_row_at_all():
    features, _, weight = data()
    found = amend(features, np.zeros(40, dtype=int), weight, classes=2)
    np.testing.assert_allclose(found, np.tile([1.0, 0.0], (40, 1)))
    assert amend(features[:0], np.zeros(0, dtype=int), weight[:0]).shape == (0, 4)


def test_leaving_oneself_out_takes_the_pull_of_ones_own_label_away():
    features, observed, weight = data(rows=12)
    rows = np.arange(12)
    own = amend(features, observed, weight)[rows, observed]
    without = amend(features, observed, weight, leave_one_out=True)[rows, observed]
    assert without.mean() < own.mean()


def test_chunks_change_nothing(monkeypatch):
    arrays = data(100)
    whole = [amend(*arrays, leave_one_out=True), cosine_graph(arrays[0], np.eye(6))]
    monkeypatch.setattr("ferclean.partition.vectors._CHUNK_VALUES", 40)
    np.testing.assert_allclose(amend(*arrays, leave_one_out=True), whole[0], atol=1e-6)
    np.testing.assert_allclose(cosine_graph(arrays[0], np.eye(6)), whole[1], atol=1e-6)


def test_confidence_is_the_clipped_reciprocal():
    distance = np.array([0.0, 0.2, 0.2, 0.2, 1.0])
    found = confidence(distance, 1.0)
    np.testing.assert_allclose(found, 1.0 / (distance + 0.01), rtol=1e-6)
    far = confidence(np.array([1e-9, 0.5, 0.5, 1e9]), 1e-6)
    np.testing.assert_allclose(far, [200.0, 2.0, 2.0, 0.02], rtol=1e-4)
    np.testing.assert_array_equal(
        confidence(np.full(5, 0.3), 1.0), np.full(5, found.dtype.type(1 / 0.31))
    )
    assert confidence(np.empty(0), 1.0).shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1])
def test_distances_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="distances"):
        confidence(np.array([0.1, bad]), 1.0)


def test_wrong_input_is_refused():
    features, observed, weight = data()
    with pytest.raises(FercleanError, match="distance to prototypes"):
        amend(features, observed, weight, distance="taxi")
    with pytest.raises(ValueError, match="weights"):
        amend(features, observed, np.zeros(40))
    with pytest.raises(ValueError, match="3 labels"):
        amend(features, observed[:3], weight)
    features[3, 2] = np.nan
    with pytest.raises(ValueError, match="finite"):
        amend(features, observed, weight)
    with pytest.raises(ValueError, match="expected"):
        cosine_graph(np.ones((2, 3)), np.ones((2, 4)))
