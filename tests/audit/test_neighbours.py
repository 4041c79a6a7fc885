import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.audit import neighbours
from ferclean.audit.neighbours import far_rows, look_around


def case(rows=90, width=5, classes=3, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, width)), random.integers(classes, size=rows)


def test_votes_and_distances_are_those_of_a_loop_over_all_pairs():
    features, labels = case()
    found = look_around(features, labels, classes=3)
    count = 15  # half of what a class of mean size holds
    shares = [(sum(labels == k) + 1) / 93 for k in range(3)]
    for row in range(90):
        away = {}
        for other in range(90):
            product = features[row] @ features[other]
            lengths = np.linalg.norm(features[row]) * np.linalg.norm(features[other])
            away[other] = (1 - product / lengths) / 2
        del away[row]
        near = sorted(away, key=away.get)[:count]
        votes = [(sum(labels[j] == k for j in near) + shares[k]) / (count + 1) for k in range(3)]
        np.testing.assert_allclose(found.votes[row], votes, atol=1e-6)
        assert found.distance[row] == pytest.approx(np.mean([away[j] for j in near]), abs=1e-5)


def test_a_row_has_no_vote_on_itself_even_among_its_copies():
    features = np.repeat(np.eye(2), 20, axis=0)
    labels = np.zeros(40, dtype=int)
    labels[7] = 1
    found = look_around(features, labels, classes=2)
    assert found.votes[7, 1] < 0.01  # its copies all say class 0
    assert found.votes[8, 1] > found.votes[30, 1]  # only a copy of row 7 may meet row 7
    np.testing.assert_allclose(found.distance, 0, atol=1e-6)


def test_beyond_its_limit_a_sample_of_the_rows_stands_for_all(monkeypatch):
    features, labels = case(rows=400, classes=2)
    features += 3.0 * labels[:, None]
    every = look_around(features, labels, classes=2)
    monkeypatch.setattr(neighbours, "_MOST_REFERENCES", 200)
    monkeypatch.setattr(neighbours, "_QUERY_VALUES", 2000)
    some = look_around(features, labels, classes=2, seed=3)
    assert not np.array_equal(some.votes, every.votes)
    agreeing = some.votes.argmax(axis=1) == every.votes.argmax(axis=1)
    assert agreeing.mean() > 0.9
    again = look_around(features, labels, classes=2, seed=3)
    np.testing.assert_array_equal(some.votes, again.votes)


def test_beyond_its_limit_the_nearest_of_the_sample_are_found(monkeypatch):
    features, labels = case(rows=60)
    monkeypatch.setattr(neighbours, "_MOST_REFERENCES", 30)
    found = look_around(features, labels, classes=3, seed=3)
    sample = np.random.default_rng(3).choice(60, 30, replace=False).tolist()
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    away = (1 - unit @ unit.T) / 2
    shares = (np.bincount(labels, minlength=3) + 1) / 63
    for row in range(60):
        near = sorted((other for other in sample if other != row), key=away[row].__getitem__)[:10]
        assert found.nearest[row].tolist() == near[:6]
        assert found.distance[row] == pytest.approx(away[row, near].mean(), abs=1e-5)
        votes = (np.bincount(labels[near], minlength=3) + shares) / 11
        np.testing.assert_allclose(found.votes[row], votes, atol=1e-6)


@given(st.integers(0, 12), st.integers(1, 4), st.integers(2, 5), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_rows_sum_to_one_and_distances_stay_in_range(rows, width, classes, seed):
    features, labels = case(rows, width, classes, seed)
    features[: rows // 3] = 0.0  # a network may say nothing of a picture
    found = look_around(features, labels, classes=classes)
    assert found.votes.dtype == found.distance.dtype == np.float32
    np.testing.assert_allclose(found.votes.sum(axis=1), np.ones(rows), atol=1e-5)
    assert ((found.distance >= 0) & (found.distance <= 1 + 1e-6)).all()


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (np.zeros((4, 2)), r"features must be \(3, D\), found \(4, 2\)"),
        (np.zeros(3), r"features must be \(3, D\), found \(3,\)"),
        (np.zeros((3, 0)), r"features must be \(3, D\), found \(3, 0\)"),
        (np.array([[0.0], [np.nan], [1.0]]), "features must be finite"),
        (np.array([[0.0], [-1e16], [1.0]]), r"below 1e\+15"),
    ],
)
def test_what_cannot_be_compared_is_refused(features, sentence):
    with pytest.raises(ValueError, match=sentence):
        look_around(features, np.zeros(3, dtype=int), classes=2)


def test_far_rows_lie_beyond_three_ranges_of_the_quartiles():
    random = np.random.default_rng(0)
    distance = np.exp(random.normal(size=1000) * 0.2 - 3)
    low, high = np.quantile(np.log(distance), (0.25, 0.75))
    fence = np.exp(high + 3 * (high - low))
    distance[[4, 9]] = fence * 1.05, fence * 0.9
    assert np.flatnonzero(far_rows(distance)).tolist() == [4]
    assert far_rows(np.zeros(5)).tolist() == [False] * 5
    assert far_rows(np.zeros(0)).shape == (0,)


def test_the_nearest_are_named_nearest_first_and_never_the_row_itself():
    features, labels = case()
    found = look_around(features, labels, classes=3)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    away = -(unit @ unit.T)
    np.fill_diagonal(away, np.inf)
    np.testing.assert_array_equal(found.nearest, np.argsort(away, axis=1)[:, :6])
    assert look_around(features[:3], labels[:3], classes=3).nearest.shape == (3, 2)
    assert look_around(features[:1], labels[:1], classes=3).nearest.shape == (1, 0)
